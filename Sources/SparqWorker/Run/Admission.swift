import Synchronization

/// Lets handlers begin, so that no type takes all slots of the worker: see ``SlotBook``.
final class Admission: Sendable {
    private struct State {
        var book: SlotBook
        var lastID = 0
        var waiters: [Int: CheckedContinuation<Bool, Never>] = [:]
        var isClosed = false
    }

    private let state: Mutex<State>
    private let isBusy = Atomic(false)

    /// - Parameter slots: How many AMQP messages the worker holds at once.
    init(slots: Int) { state = Mutex(State(book: SlotBook(slots: slots))) }

    /// Nothing holds a slot or waits for one: a handler may begin, and needs a slot only where it has to wait for something.
    var isQuiet: Bool { !isBusy.load(ordering: .relaxed) }

    /// A handler that began while all was quiet has to wait for something. Needs a ``leave(_:_:)``.
    func take(_ type: String, _ batch: InboundBatch) {
        change { $0.book.take(type, ObjectIdentifier(batch)) }
    }

    /// Waits until a handler of the type may begin. False where it must not; true needs a ``leave(_:_:)``.
    func enter(_ type: String, _ batch: InboundBatch) async -> Bool {
        let batch = ObjectIdentifier(batch)
        switch change({ $0.book.enter(type, batch) }) {
        case .enters: return true
        case .turnedAway: return false
        case .waits: break
        }
        return await withCheckedContinuation { continuation in
            let isIn: Bool? = change { state in
                if state.isClosed { return false }
                state.lastID += 1
                switch state.book.enter(type, batch, id: state.lastID) {
                case .enters: return true
                case .turnedAway: return false
                case .waits:
                    state.waiters[state.lastID] = continuation
                    return nil
                }
            }
            if let isIn { continuation.resume(returning: isIn) }
        }
    }

    /// A handler holds its slot no longer.
    func leave(_ type: String, _ batch: InboundBatch) {
        let batch = ObjectIdentifier(batch)
        tell { ($0.book.leave(type, batch), []) }
    }

    /// Types with handlers that have been at work for long, and their batches. Called several times a second.
    func look(slow: Set<String>, _ batches: Set<ObjectIdentifier>) { tell { $0.book.look(slow: slow, batches) } }

    /// The batch can no longer be acked, and the broker delivers it again.
    func lose(_ batch: InboundBatch) {
        let batch = ObjectIdentifier(batch)
        tell { $0.book.lose(batch) }
    }

    /// Nobody waits any more.
    func close() {
        tell { state in
            state.isClosed = true
            return ([], state.book.close())
        }
    }

    private func change<Value: Sendable>(_ body: (inout State) -> Value) -> Value {
        state.withLock { state in
            defer { isBusy.store(!state.book.isIdle, ordering: .relaxed) }
            return body(&state)
        }
    }

    private func tell(_ change: (inout State) -> (begin: [Int], turnedAway: [Int])) {
        let (begin, turnedAway) = self.change { state in
            let (begin, turnedAway) = change(&state)
            return (
                begin.compactMap { state.waiters.removeValue(forKey: $0) }, turnedAway.compactMap { state.waiters.removeValue(forKey: $0) }
            )
        }
        for waiter in begin { waiter.resume(returning: true) }
        for waiter in turnedAway { waiter.resume(returning: false) }
    }
}
