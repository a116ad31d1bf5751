#if DEBUG
    internal import FoundationEssentials
#endif

/// Faults on purpose, by `SPARQ_SABOTAGE`, to show that the tests of the guarantees can fail. Release builds have none of it.
enum Sabotage: String, Sendable {
    /// Events are handed on as they come: not ordered, repeats not dropped.
    case noSequencer = "no-sequencer"

    #if DEBUG
        private static let chosen = ProcessInfo.processInfo.environment["SPARQ_SABOTAGE"].flatMap(Sabotage.init)

        static func isOn(_ fault: Sabotage) -> Bool { chosen == fault }
    #else
        @inline(__always) static func isOn(_ fault: Sabotage) -> Bool { false }
    #endif
}
