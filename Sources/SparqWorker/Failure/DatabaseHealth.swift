import Synchronization

/// Remembers when the database last failed.
final class DatabaseHealth: Sendable {
    private let lastTrouble = Mutex(ContinuousClock.now)

    func noteTrouble() { lastTrouble.withLock { $0 = .now } }

    /// How long there has been no trouble, counted from the start.
    var calm: Duration { lastTrouble.withLock { .now - $0 } }
}
