import FaultLog
import Logging
import Postgres

/// Removes what is too old, in small pieces with pauses, on one worker at a time.
struct Retention: Sendable {
    /// Rows of one piece.
    private static let piece = 1000
    private static let pause: Duration = .milliseconds(50)
    /// Any number that nothing else uses.
    private static let lock: Int64 = 0x5370_6172_7100_0001

    let pool: PostgresPool
    let events: Duration
    let inbox: Duration
    let interval: Duration
    let logger: Logger

    func run() async {
        let faults = FaultLog(logger)
        while (try? await Task.sleep(for: interval * Double.random(in: 0.5...1.5))) != nil {
            do {
                let removed = try await sweep()
                faults.ended(FaultLog.single, "old rows are removed again")
                if removed > 0 { logger.info("old rows removed", metadata: ["rows": "\(removed)"]) }
            } catch {
                if !Task.isCancelled { faults.occurred(FaultLog.single, "removing old rows failed", metadata: ["error": "\(error)"]) }
            }
        }
    }

    /// Returns how many rows it removed; none where another worker is at it.
    func sweep() async throws -> Int {
        var removed = 0
        for (function, age) in [("sparq_expire_events", events), ("sparq_expire_inbox", inbox)] {
            while true {
                let count = try await step(function, age)
                removed += count
                if count < Self.piece { break }
                try await Task.sleep(for: Self.pause)
            }
        }
        return removed
    }

    /// One statement, and so its own transaction: what it locks is not held for the length of a round trip, nor by a worker that was stopped.
    /// The lock of the sweep is the transaction's too, and cannot be left behind.
    private func step(_ function: String, _ age: Duration) async throws -> Int {
        let sql = """
            SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN \(function)(now() - make_interval(secs => $2), $3) ELSE 0 END
            """
        let seconds = Double(age.components.seconds) + Double(age.components.attoseconds) / 1e18
        return try await pool.query(sql, Self.lock, seconds, Self.piece).first?.decode(Int.self) ?? 0
    }
}
