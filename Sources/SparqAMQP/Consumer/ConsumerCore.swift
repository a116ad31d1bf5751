internal import Synchronization

/// What the users of a ``Consumer`` and the connection's thread share. Continuations are resumed outside of the lock.
final class ConsumerCore: Sendable {
    struct Settling {
        let tag: DeliveryTag
        let kind: AckLedger.Kind
        let multiple: Bool
    }

    private struct State {
        var ready: [Delivery] = []
        var waiter: CheckedContinuation<[Delivery]?, Never>?
        var settling: [Settling] = []
        var isCancelRequested = false
        var cancelWaiters: [CheckedContinuation<Void, Never>] = []
        /// No delivery will follow.
        var isOver = false
        var hasEnded = false
    }

    private let state = Mutex(State())
    /// Of the channel that stands; 0 where none does.
    private let epoch = Atomic<UInt64>(0)

    // MARK: The users' side

    func isCurrent(_ tag: DeliveryTag) -> Bool { tag.epoch == epoch.load(ordering: .acquiring) }

    func nextBatch(_ continuation: CheckedContinuation<[Delivery]?, Never>) {
        let (batch, second): ([Delivery]??, CheckedContinuation<[Delivery]?, Never>?) = state.withLock { state in
            if !state.ready.isEmpty {
                defer { state.ready = [] }
                return (.some(state.ready), nil)
            }
            if state.isOver { return (.some(nil), nil) }
            defer { state.waiter = continuation }
            return (nil, state.waiter)
        }
        second?.resume(returning: nil)
        if let batch { continuation.resume(returning: batch) }
    }

    /// The task that waits in `nextBatch` was cancelled.
    func cancelWaiting() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    func settle(_ settling: Settling) {
        state.withLock { state in
            guard !state.hasEnded else { return }
            state.settling.append(settling)
        }
    }

    func requestCancel(_ continuation: CheckedContinuation<Void, Never>?) {
        let isOver = state.withLock { state in
            state.isCancelRequested = true
            if state.isOver { return true }
            if let continuation { state.cancelWaiters.append(continuation) }
            return false
        }
        if isOver { continuation?.resume() }
    }

    // MARK: The connection's side

    var isCancelRequested: Bool { state.withLock { $0.isCancelRequested } }
    var isIdle: Bool { state.withLock { $0.isOver && $0.ready.isEmpty && $0.settling.isEmpty } }

    func opened(epoch: UInt64) { self.epoch.store(epoch, ordering: .releasing) }

    /// Moves what was asked for into `settlings`, and says whether consuming shall end.
    func take(into settlings: inout [Settling]) -> Bool {
        state.withLock { state in
            swap(&settlings, &state.settling)
            return state.isCancelRequested && !state.isOver
        }
    }

    func deliver(_ deliveries: inout [Delivery]) {
        let (waiter, batch) = state.withLock { state -> (CheckedContinuation<[Delivery]?, Never>?, [Delivery]) in
            if state.ready.isEmpty { swap(&state.ready, &deliveries) } else { state.ready.append(contentsOf: deliveries) }
            guard let waiter = state.waiter else { return (nil, []) }
            state.waiter = nil
            defer { state.ready = [] }
            return (waiter, state.ready)
        }
        deliveries.removeAll(keepingCapacity: true)
        waiter?.resume(returning: batch)
    }

    /// The channel is gone; the broker puts back what was not settled, so what nobody has seen yet is dropped.
    func lost() {
        epoch.store(0, ordering: .releasing)
        let isCancelRequested = state.withLock { state in
            state.ready.removeAll()
            state.settling.removeAll()
            return state.isCancelRequested
        }
        if isCancelRequested { over() }
    }

    /// No delivery will follow.
    func over() {
        let (waiter, cancelWaiters) = state.withLock { state in
            state.isOver = true
            defer {
                state.cancelWaiters = []
                if state.ready.isEmpty { state.waiter = nil }
            }
            return (state.ready.isEmpty ? state.waiter : nil, state.cancelWaiters)
        }
        waiter?.resume(returning: nil)
        for waiter in cancelWaiters { waiter.resume() }
    }

    func end() {
        epoch.store(0, ordering: .releasing)
        state.withLock { state in
            state.hasEnded = true
            state.ready.removeAll()
            state.settling.removeAll()
        }
        over()
    }
}
