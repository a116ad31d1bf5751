/// What became of a batch that was published.
package enum BatchOutcome: Sendable {
    /// The broker has it, in a queue.
    case taken
    /// It came back: no queue serves its lane.
    case returned
    /// The broker will never take it: it is too large.
    case refused
    /// The broker did not take it, as far as is known.
    case failed
}
