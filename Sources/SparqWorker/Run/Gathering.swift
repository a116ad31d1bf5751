import Synchronization

/// The outcomes of those of a batch's messages whose handlers had nothing to wait for: they go on together.
final class Gathering: Sendable {
    /// The batch has one message only.
    let isOnlyOfBatch: Bool
    private let state = Mutex<[[MessageOutcome]]?>([])

    init(isOnlyOfBatch: Bool) { self.isOnlyOfBatch = isOnlyOfBatch }

    /// Takes what one connection's messages came to. False where it comes too late, and must go on alone.
    func add(_ outcomes: [MessageOutcome]) -> Bool {
        state.withLock { gathered in
            guard gathered != nil else { return false }
            gathered?.append(outcomes)
            return true
        }
    }

    /// What has been gathered, by connection. Nothing is taken any more.
    func close() -> [[MessageOutcome]] {
        state.withLock { gathered in
            defer { gathered = nil }
            return gathered ?? []
        }
    }
}
