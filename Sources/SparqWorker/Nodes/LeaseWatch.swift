import Synchronization

/// Whether leases are taken in good time here. Where they wait, because the database holds up what nodes ask, a lease that ran out says nothing of its
/// node.
final class LeaseWatch: Sendable {
    private struct State {
        /// When the oldest of those came that are being served.
        var serving: ContinuousClock.Instant?
        var lastLate: ContinuousClock.Instant?
    }

    private let queue: BatchQueue<NodeRequest>
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameters:
    ///   - queue: Where they wait.
    ///   - lease: How long a lease lasts. Nodes renew theirs three times in it, so a third is late.
    init(queue: BatchQueue<NodeRequest>, lease: Duration) {
        self.queue = queue
        patience = lease / 3
    }

    /// Some are being served. One task at a time.
    func begin(_ requests: [NodeRequest]) { state.withLock { $0.serving = requests.map(\.arrived).min() } }

    /// They are served.
    func end(now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            if let serving = state.serving, now - serving > patience { state.lastLate = now }
            state.serving = nil
        }
    }

    /// Whether none was late for so long.
    func isCalm(for time: Duration, now: ContinuousClock.Instant = .now) -> Bool {
        let waiting = queue.first?.arrived
        return state.withLock { state in
            if let oldest = [waiting, state.serving].compactMap(\.self).min(), now - oldest > patience { return false }
            return state.lastLate.map { now - $0 > time } ?? true
        }
    }
}
