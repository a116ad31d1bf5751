/// A fault that a debug build of Sparq takes on by itself, by `SPARQ_SABOTAGE`: what the checker must find.
enum SabotageKind: String, CaseIterable, Sendable {
    /// A worker acks what it has not committed.
    case ackBeforeCommit = "ack-before-commit"
    /// A worker neither looks for a message in the inbox nor notes it there.
    case noInbox = "no-inbox"
    /// A front hands events on as they come.
    case noSequencer = "no-sequencer"
    /// A worker looks for an event's subscribers before the event is committed.
    case directoryBeforeCommit = "directory-before-commit"

    /// Where the checker must find it.
    var symptom: Verdict.Fault {
        switch self {
        case .ackBeforeCommit: .lostMessage
        case .noInbox: .duplicateEffect
        case .noSequencer: .duplicateDelivery
        case .directoryBeforeCommit: .lostDelivery
        }
    }
}
