#if DEBUG
    internal import FoundationEssentials
#endif

/// Faults on purpose, by `SPARQ_SABOTAGE`, to show that the tests of the guarantees can fail. Release builds have none of it.
enum Sabotage: String, Sendable {
    /// A batch is acked when it comes.
    case ackBeforeCommit = "ack-before-commit"
    /// Messages are neither looked for in the inbox nor noted there.
    case noInbox = "no-inbox"
    /// Who must hear of an event is looked up before it is committed.
    case directoryBeforeCommit = "directory-before-commit"

    #if DEBUG
        private static let chosen = ProcessInfo.processInfo.environment["SPARQ_SABOTAGE"].flatMap(Sabotage.init)

        static func isOn(_ fault: Sabotage) -> Bool { chosen == fault }
    #else
        @inline(__always) static func isOn(_ fault: Sabotage) -> Bool { false }
    #endif
}
