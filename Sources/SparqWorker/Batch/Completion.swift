import Synchronization

/// Counts the open parts of what several stages work on: an AMQP message that came in, or the ones that go out for it. When the last part ends it
/// says, once, whether all of them are finished.
final class Completion: Sendable {
    private struct State {
        var open: Int
        var isAbandoned = false
    }

    private let state: Mutex<State>
    private let onEnd: @Sendable (_ isWhole: Bool) -> Void

    /// - Parameters:
    ///   - parts: How many are open, one at least.
    ///   - onEnd: Called once, when none is open any more: whether none was abandoned.
    init(parts: Int = 1, onEnd: @escaping @Sendable (_ isWhole: Bool) -> Void) {
        state = Mutex(State(open: parts))
        self.onEnd = onEnd
    }

    /// Whether some part of it cannot be finished here.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

    /// One more part.
    func begin() { state.withLock { $0.open += 1 } }

    /// Ends a part.
    func finish() { end(isFinished: true) }

    /// Ends a part that cannot be finished here.
    func abandon() { end(isFinished: false) }

    /// Ends a part.
    func end(isFinished: Bool) {
        let isWhole: Bool? = state.withLock { state in
            // Counting below zero would ack a message twice, which closes the channel.
            precondition(state.open > 0, "more parts ended than begun")
            if !isFinished { state.isAbandoned = true }
            state.open -= 1
            return state.open == 0 ? !state.isAbandoned : nil
        }
        if let isWhole { onEnd(isWhole) }
    }
}
