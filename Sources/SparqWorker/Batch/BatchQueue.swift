import DequeModule
import Synchronization

/// Between two stages: what comes while the next stage is busy travels together. No timer: what comes alone goes at once.
///
/// It has no limit of its own; what can be in it is bounded by the prefetch of the consumer.
///
/// What is bulk goes behind all else, a piece with each batch: so it holds up the others for the time of a piece, and they do not hold it up for ever.
final class BatchQueue<Element: Sendable>: Sendable {
    private typealias Item = (element: Element, count: Int, weight: Int)

    private struct State {
        var items: Deque<Item> = []
        var bulk: Deque<Item> = []
        var waiters: Deque<CheckedContinuation<Void, Never>> = []
        var isClosed = false
    }

    private let countLimit: Int
    private let weightLimit: Int
    private let bulkLimit: Int
    private let state = Mutex(State())

    /// - Parameter bulkLimit: The weight of a piece of bulk; an item that has more is a piece of its own.
    init(countLimit: Int, weightLimit: Int, bulkLimit: Int = 0) {
        self.countLimit = countLimit
        self.weightLimit = weightLimit
        self.bulkLimit = bulkLimit
    }

    /// The first that waits, of those that are not bulk.
    var first: Element? { state.withLock { $0.items.first?.element } }

    /// False where the queue is closed: then nobody will take the element.
    ///
    /// - Parameter count: As how many it counts.
    func add(_ element: Element, count: Int = 1, weight: Int = 1, isBulk: Bool = false) -> Bool {
        let (isOpen, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            if isBulk { state.bulk.append((element, count, weight)) } else { state.items.append((element, count, weight)) }
            return (true, state.waiters.popFirst())
        }
        waiter?.resume()
        return isOpen
    }

    /// What is there, in order, up to the limits, and a piece of bulk; at least one. `nil` when closed and empty. Any number of tasks may take turns.
    func next() async -> [Element]? {
        while true {
            if let batch = take() { return batch.isEmpty ? nil : batch }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if state.isClosed || !state.items.isEmpty || !state.bulk.isEmpty { return true }
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
            var batch = Self.take(from: &state.items, count: countLimit, weight: weightLimit)
            if !state.bulk.isEmpty { batch += Self.take(from: &state.bulk, count: countLimit, weight: bulkLimit) }
            return batch.isEmpty && !state.isClosed ? nil : batch
        }
    }

    /// At least one, where there is one.
    private static func take(from items: inout Deque<Item>, count countLimit: Int, weight weightLimit: Int) -> [Element] {
        var batch: [Element] = []
        var (count, weight) = (0, 0)
        while let first = items.first, batch.isEmpty || (count + first.count <= countLimit && weight + first.weight <= weightLimit) {
            count += first.count
            weight += first.weight
            batch.append(first.element)
            items.removeFirst()
        }
        return batch
    }
}
