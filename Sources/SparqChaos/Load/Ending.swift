import Synchronization

/// When the load ends; it can be brought forward.
final class Ending: Sendable {
    private let instant: Mutex<ContinuousClock.Instant>

    init(at instant: ContinuousClock.Instant) { self.instant = Mutex(instant) }

    var at: ContinuousClock.Instant { instant.withLock { $0 } }
    var isOver: Bool { ContinuousClock.now >= at }
    func now() { instant.withLock { $0 = .now } }
}
