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
        while (try? await Task.sleep(for: interval * Double.random(in: 0.5...1.5))) != nil {
            do {
                let removed = try await sweep()
                if removed > 0 { logger.info("old rows removed", metadata: ["rows": "\(removed)"]) }
            } catch {
                if !Task.isCancelled { logger.warning("removing old rows failed", metadata: ["error": "\(error)"]) }
            }
        }
    }

    /// Returns how many rows it removed; none where another worker is at it.
    func sweep() async throws -> Int {
        var removed = 0
        while true {
            let count = try await step("SELECT sparq_expire_events(now() - make_interval(secs => $1), $2)", events)
            removed += count
            if count < Self.piece { break }
            try await Task.sleep(for: Self.pause)
        }
        while true {
            let count = try await step(
                """
                WITH old AS (
                    DELETE FROM inbox WHERE ctid IN (
                        SELECT i.ctid FROM inbox i WHERE i.created_at < now() - make_interval(secs => $1) LIMIT $2
                    ) RETURNING 1
                ) SELECT count(*) FROM old
                """,
                inbox
            )
            removed += count
            if count < Self.piece { break }
            try await Task.sleep(for: Self.pause)
        }
        return removed
    }

    /// The lock is the transaction's, so that it cannot be left behind.
    private func step(_ sql: String, _ age: Duration) async throws -> Int {
        try await pool.transaction { transaction in
            let lock = try await transaction.query("SELECT pg_try_advisory_xact_lock($1)", Self.lock)
            guard try lock.first?.decode(Bool.self) == true else { return 0 }
            let seconds = Double(age.components.seconds) + Double(age.components.attoseconds) / 1e18
            return try await transaction.query(sql, seconds, Self.piece).first?.decode(Int.self) ?? 0
        }
    }
}
