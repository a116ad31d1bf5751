import Synchronization

/// What has come of suspects that run together: who has run, and is through or has had its time.
final class SuspectTrial: Sendable {
    private struct State {
        /// When their handlers' code began.
        var begun: [String: ContinuousClock.Instant] = [:]
        var isThrough: Set<String> = []
    }

    private let start: ContinuousClock.Instant
    private let patience: Duration
    private let state = Mutex(State())

    /// - Parameter patience: What has not killed for so long is not what kills.
    init(patience: Duration, start: ContinuousClock.Instant = .now) {
        self.patience = patience
        self.start = start
    }

    func begins(_ key: String, now: ContinuousClock.Instant = .now) { state.withLock { if $0.begun[key] == nil { $0.begun[key] = now } } }
    func ends(_ key: String) { state.withLock { _ = $0.isThrough.insert(key) } }

    /// How long it takes until all are through or have had their time. It counts from when their code began; what waits for its turn at the database has
    /// its time as well, as it would be at fault for each death under a lock.
    func left(_ keys: [String], now: ContinuousClock.Instant = .now) -> Duration {
        state.withLock { state in
            keys.filter { !state.isThrough.contains($0) }.map { patience - (now - (state.begun[$0] ?? start)) }.max() ?? .zero
        }
    }

    /// Those that have run and are through, and those that have had their time. What is through without having run, since it was turned away, has shown
    /// nothing.
    func survivors(_ keys: [String], now: ContinuousClock.Instant = .now) -> [String] {
        state.withLock { state in
            keys.filter { key in
                state.isThrough.contains(key) ? state.begun[key] != nil : now - (state.begun[key] ?? start) >= patience
            }
        }
    }
}
