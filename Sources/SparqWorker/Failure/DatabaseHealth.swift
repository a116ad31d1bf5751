import FaultLog
import Logging
import Postgres
import Synchronization

/// Remembers when the database last failed, and says in the log when trouble begins, lasts and ends.
final class DatabaseHealth: Sendable {
    /// Trouble that comes and goes within this time is one trouble.
    private static let calmAtItsEnd: Duration = .seconds(2)

    private let lastTrouble = Mutex(ContinuousClock.now)
    /// The same, of the database itself or of what Sparq asks by itself: handlers may ask what never works.
    private let lastOwnTrouble = Mutex(ContinuousClock.now)
    private let isTroubled = Atomic(false)
    private let troubles: FaultLog
    private let refusals: FaultLog

    init(logger: Logger) {
        troubles = FaultLog(logger)
        refusals = FaultLog(logger)
    }

    /// Nothing is wrong with what was asked: it is asked again.
    ///
    /// - Parameter isOwn: Whether Sparq asked by itself, and not inside of a handler's work.
    func noteTrouble(_ error: PostgresError, isOwn: Bool) {
        lastTrouble.withLock { $0 = .now }
        if isOwn || error.cause == .outage { lastOwnTrouble.withLock { $0 = .now } }
        isTroubled.store(true, ordering: .relaxed)
        if error.cause == .schema {
            refusals.occurred(
                FaultLog.single,
                level: .error,
                "the database refuses Sparq's own statements, waiting: are tables, functions and privileges as the migrations left them?",
                metadata: ["error": "\(error)"]
            )
        } else {
            troubles.occurred(FaultLog.single, "trouble with the database, waiting", metadata: ["error": "\(error)"])
        }
    }

    /// The database did what it was asked.
    func noteAnswer() {
        guard isTroubled.load(ordering: .relaxed), lastTrouble.withLock({ .now - $0 }) >= Self.calmAtItsEnd else { return }
        isTroubled.store(false, ordering: .relaxed)
        troubles.ended(FaultLog.single, "the database answers again")
        refusals.ended(FaultLog.single, "the database takes Sparq's own statements again")
    }

    /// How long there has been no trouble that may hold up leases, counted from the start.
    var calm: Duration { lastOwnTrouble.withLock { .now - $0 } }
}
