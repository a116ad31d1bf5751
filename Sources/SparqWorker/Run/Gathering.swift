import Synchronization

/// The outcomes of those of a batch's messages whose handlers had nothing to wait for: they go on together.
final class Gathering: Sendable {
    /// The batch has one message only.
    let isOnlyOfBatch: Bool
    private let state = Mutex<[[Unit]]?>([])

    init(isOnlyOfBatch: Bool) { self.isOnlyOfBatch = isOnlyOfBatch }

    /// Takes what one connection's messages came to. False where it comes too late, and must go on alone.
    func add(_ units: [Unit]) -> Bool {
        state.withLock { gathered in
            guard gathered != nil else { return false }
            gathered?.append(units)
            return true
        }
    }

    /// What has been gathered, by connection. Nothing is taken any more.
    func close() -> [[Unit]] {
        state.withLock { gathered in
            defer { gathered = nil }
            return gathered ?? []
        }
    }
}
