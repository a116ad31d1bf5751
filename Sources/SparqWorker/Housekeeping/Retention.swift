import FaultLog
import Logging
import SparqPostgres

/// Removes what is too old, in small pieces, on one worker at a time.
///
/// Each piece begins where the last one ended, so what was removed before is not walked over again (`0008_growth.sql`).
struct Retention: Sendable {
    /// Blocks (8 MiB) that one sweep searches for old rows that earlier sweeps have passed.
    private static let blocks = 1024
    /// A sweep with more than so many intervals' rows before it is behind.
    private static let slack = 10
    /// Pieces until the table `sweeps` is written again. While somebody's snapshot is open, each time leaves a version more of its row.
    private static let unnoted = 100

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
                if !Task.isCancelled { faults.occurred(FaultLog.single, "removing old rows failed", metadata: error.account) }
            }
        }
    }

    /// Returns how many rows it removed; none where another worker is at it.
    func sweep() async throws -> Int { try await sweep("events", events) + sweep("inbox", inbox) }

    /// Removes what is too old as it begins. What becomes so meanwhile is for the next sweep, so none goes on for ever.
    private func sweep(_ table: String, _ age: Duration) async throws -> Int {
        let seconds = Double(age.components.seconds) + Double(age.components.attoseconds) / 1e18
        guard let row = try await pool.query(Self.beginning, table, seconds).first else { return 0 }
        let (first, stretch, before) = try row.decode(PostgresTimestamp.self, Int.self, PostgresTimestamp.self)
        var (reached, block) = (first, stretch)
        let note = "UPDATE sweeps SET reached = $2, block = $3 WHERE swept = $1"
        let slack = Int64((interval * Self.slack).milliseconds) * 1000
        var pace = SweepPace()
        var (removed, pieces, isFull) = (0, 0, true)
        while isFull {
            let sql = "SELECT removed, reached FROM sparq_sweep_\(table)($1, $2, $3)"
            let isBehind = reached.microseconds < before.microseconds - slack
            let (size, start) = (pace.size, ContinuousClock.now)
            guard let piece = try await step(Statement(sql, reached, before, size), PostgresTimestamp.self) else { return removed }
            reached = piece.place
            removed += piece.removed
            isFull = piece.removed == size
            pieces += 1
            if pieces.isMultiple(of: Self.unnoted) { try await pool.execute(note, table, reached, block) }
            try await Task.sleep(for: pace.worked(.now - start, isBehind: isBehind))
        }
        repeat {
            let sql = "SELECT removed, next FROM sparq_patrol_\(table)($1, $2, $3, $4)"
            let size = SweepPace.sizes.lowerBound
            guard let piece = try await step(Statement(sql, block, Self.blocks, before, size), Int.self) else { return removed }
            block = piece.place
            removed += piece.removed
            isFull = piece.removed == size
        } while isFull
        try await pool.execute(note, table, reached, block)
        return removed
    }

    /// Where a sweep begins, and what is too old for it. A place in the future is that of a clock which went wrong: it begins anew.
    private static let beginning = """
        SELECT CASE WHEN reached > now() THEN '-infinity' ELSE reached END, block, now() - make_interval(secs => $2)
        FROM sweeps WHERE swept = $1
        """

    /// How many rows a piece removed, and where the next begins; `nil` where another worker is at it.
    ///
    /// One statement, and so its own transaction: what it locks is not held for the length of a round trip, nor by a worker that was stopped.
    /// The lock of the sweep is the transaction's too, and cannot be left behind.
    private func step<Place: PostgresDecodable>(_ statement: Statement, _: Place.Type) async throws -> (removed: Int, place: Place)? {
        guard let row = try await pool.run(statement).first else { return nil }
        let (removed, place) = try row.decode(Int?.self, Place?.self)
        guard let removed, let place else { return nil }
        return (removed, place)
    }
}
