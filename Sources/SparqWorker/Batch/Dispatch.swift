import Synchronization

/// What is told when the AMQP messages of some runs are confirmed.
struct Ticket: Sendable {
    let batch: InboundBatch
    let delivered: Delivered?

    func finish() {
        batch.finish()
        delivered?.finish()
    }

    func abandon() {
        batch.abandon()
        delivered?.finish()
    }
}

/// Some AMQP messages that carry the outcome of the same runs; when the last is confirmed, the runs are finished.
final class Dispatch: Sendable {
    private struct State {
        var open: Int
        var isAbandoned = false
    }

    private let tickets: [Ticket]
    private let state: Mutex<State>

    init(messages: Int, tickets: [Ticket]) {
        self.tickets = tickets
        state = Mutex(State(open: messages))
    }

    func finish(confirmed: Bool) {
        let (isOver, isAbandoned) = state.withLock { state in
            state.open -= 1
            if !confirmed { state.isAbandoned = true }
            return (state.open == 0, state.isAbandoned)
        }
        guard isOver else { return }
        for ticket in tickets { isAbandoned ? ticket.abandon() : ticket.finish() }
    }
}
