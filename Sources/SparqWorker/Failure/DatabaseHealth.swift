import FaultLog
import Logging
import SparqPostgres
import Synchronization

/// Remembers when the database last failed, and says in the log when trouble begins, lasts and ends.
final class DatabaseHealth: Sendable {
    /// Trouble that comes and goes within this time is one trouble. Longer than the pauses of who waits for its end.
    private static let calmAtItsEnd: Duration = .seconds(3)
    /// So long after its last failure a handler counts as mended that nobody has asked for anything since. Longer than the pauses of what is tried again.
    private static let memory: Duration = .seconds(45)

    private let lastTrouble = Mutex(ContinuousClock.now)
    /// The same, of the database itself or of what Sparq asks by itself: handlers may ask what never works.
    private let lastOwnTrouble = Mutex(ContinuousClock.now)
    private let isTroubled = Atomic(false)
    private let troubles: FaultLog
    private let refusals: FaultLog
    private let crowds: FaultLog
    /// Types of messages whose handlers ask for what is not there, or not allowed, and when they last did.
    private let missing = Mutex<[String: ContinuousClock.Instant]>([:])
    private let isMissing = Atomic(false)
    private let absences: FaultLog
    private let onWork: @Sendable (Bool) -> Void
    private let onHandlers: @Sendable (Bool) -> Void

    /// - Parameters:
    ///   - onWork: Whether what Sparq asks by itself is done; called at each word of it.
    ///   - onHandlers: Whether handlers find what they need; the same.
    init(
        logger: Logger,
        onWork: @escaping @Sendable (Bool) -> Void = { _ in },
        onHandlers: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        troubles = FaultLog(logger)
        refusals = FaultLog(logger)
        crowds = FaultLog(logger)
        absences = FaultLog(logger)
        self.onWork = onWork
        self.onHandlers = onHandlers
    }

    /// Nothing is wrong with what was asked: it is asked again.
    ///
    /// - Parameter isOwn: Whether Sparq asked by itself, and not inside of a handler's work.
    func noteTrouble(_ error: PostgresError, isOwn: Bool) {
        lastTrouble.withLock { $0 = .now }
        if isOwn || error.cause == .outage {
            lastOwnTrouble.withLock { $0 = .now }
            onWork(false)
        }
        isTroubled.store(true, ordering: .relaxed)
        if error.cause == .schema {
            refusals.occurred(
                FaultLog.single,
                level: .error,
                "the database refuses Sparq's own statements, waiting",
                metadata: error.account
            )
        } else {
            troubles.occurred(FaultLog.single, "trouble with the database, waiting", metadata: error.account)
        }
    }

    /// Others have all connections.
    func noteCrowd(_ error: PostgresError) {
        crowds.occurred(FaultLog.single, "all database connections are in use, waiting for one", metadata: ["error": "\(error)"])
    }

    /// The database did what it was asked.
    func noteAnswer() {
        guard isTroubled.load(ordering: .relaxed), lastTrouble.withLock({ .now - $0 }) >= Self.calmAtItsEnd else { return }
        isTroubled.store(false, ordering: .relaxed)
        troubles.ended(FaultLog.single, "the database answers again")
        refusals.ended(FaultLog.single, "the database takes Sparq's own statements again")
        onWork(true)
    }

    /// A handler asks for what is not there, or not allowed. Its messages wait for an operator.
    func noteMissing(_ error: PostgresError, of type: String) {
        missing.withLock { $0[type] = .now }
        isMissing.store(true, ordering: .relaxed)
        onHandlers(false)
        absences.occurred(
            type,
            level: .error,
            "a handler asks for what the database does not have or allow, its messages wait",
            metadata: ["type": "\(type)", "error": "\(error)", "advice": "\(error.advice)"]
        )
    }

    /// A handler found what it needs. True where it did not before.
    func noteSuccess(of type: String) -> Bool {
        guard isMissing.load(ordering: .relaxed) else { return false }
        return endMissing { $0.key == type }
    }

    /// Time has passed, and the database answers: trouble may have ended that nobody has asked about.
    func look() {
        noteAnswer()
        if isMissing.load(ordering: .relaxed) {
            let now = ContinuousClock.now
            _ = endMissing { now - $0.value >= Self.memory }
        }
    }

    private func endMissing(_ isOver: ((key: String, value: ContinuousClock.Instant)) -> Bool) -> Bool {
        let (ended, isLast) = missing.withLock { missing in
            let ended = missing.filter(isOver).map(\.key)
            for type in ended { missing[type] = nil }
            isMissing.store(!missing.isEmpty, ordering: .relaxed)
            return (ended, missing.isEmpty)
        }
        for type in ended { absences.ended(type, "a handler finds what it needs again", metadata: ["type": "\(type)"]) }
        if isLast, !ended.isEmpty { onHandlers(true) }
        return !ended.isEmpty
    }

    /// How long there has been no trouble that may hold up leases, counted from the start.
    var calm: Duration { lastOwnTrouble.withLock { .now - $0 } }
}
