import DequeModule
import Synchronization

/// Between two stages: what comes while the next stage is busy travels together. No timer: what comes alone goes at once.
///
/// It has no limit of its own; what can be in it is bounded by the prefetch of the consumer.
final class BatchQueue<Element: Sendable>: Sendable {
    private struct State {
        var items: Deque<(element: Element, count: Int, weight: Int)> = []
        var waiters: Deque<CheckedContinuation<Void, Never>> = []
        var isClosed = false
    }

    private let countLimit: Int
    private let weightLimit: Int
    private let state = Mutex(State())

    init(countLimit: Int, weightLimit: Int) {
        self.countLimit = countLimit
        self.weightLimit = weightLimit
    }

    /// False where the queue is closed: then nobody will take the element.
    ///
    /// - Parameter count: As how many it counts.
    func add(_ element: Element, count: Int = 1, weight: Int = 1) -> Bool {
        let (isOpen, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            state.items.append((element, count, weight))
            return (true, state.waiters.popFirst())
        }
        waiter?.resume()
        return isOpen
    }

    /// What is there, in order, up to the limits; at least one. `nil` when closed and empty. Any number of tasks may take turns.
    func next() async -> [Element]? {
        while true {
            if let batch = take() { return batch.isEmpty ? nil : batch }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isClosed || !state.items.isEmpty { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Nothing where it must be waited for; an empty array at the end.
    private func take() -> [Element]? {
        state.withLock { state in
            guard !state.items.isEmpty else { return state.isClosed ? [] : nil }
            var batch: [Element] = []
            var (count, weight) = (0, 0)
            while let first = state.items.first,
                batch.isEmpty || (count + first.count <= countLimit && weight + first.weight <= weightLimit)
            {
                count += first.count
                weight += first.weight
                batch.append(first.element)
                state.items.removeFirst()
            }
            return batch
        }
    }
}
