import SparqPostgres
import SparqWire
import Testing

@testable import SparqWorker

/// Sweeps of tables in which much was deleted, and of rows whose times are not in the order in which they were written.
@Suite(.timeLimit(.minutes(2))) struct SweepTests {
    private static let old = "now() - '1 hour'::interval"

    private func retention(_ stack: Stack) -> Retention {
        Retention(pool: stack.pool, events: .seconds(3600), inbox: .seconds(3600), interval: .seconds(60), logger: Stack.quiet)
    }

    /// While the snapshot is open nothing can be cleared away: whoever begins at the index's end walks over all that was deleted.
    @Test func aPieceCostsTheSameHoweverMuchWasDeletedUnderAnOpenSnapshot() async throws {
        try await Stack.with { stack in
            let at = "now() - '1 day'::interval + n / 100 * '1 ms'::interval"
            let rows = "generate_series(0, 99999) n"
            try await stack.pool.query("INSERT INTO topics SELECT 'room:' || n, 5000 FROM generate_series(0, 19) n")
            try await stack.pool.query("INSERT INTO events SELECT 'room:' || n % 20, n / 20 + 1, \(at), 'note', '{}' FROM \(rows)")
            try await stack.pool.query(
                "INSERT INTO inbox (user_id, message_id, fingerprint, created_at) SELECT 'u', n, 0, \(at) FROM \(rows)"
            )
            try await stack.pool.transaction(isolation: .repeatableRead) { snapshot in
                try await snapshot.query("SELECT FROM topics")
                for table in ["events", "inbox"] {
                    var reached = PostgresTimestamp.negativeInfinity
                    var costs: [Int] = []
                    for _ in 0..<95 {
                        let (cost, removed, next) = try await piece(table, from: reached, stack)
                        #expect(removed == 1000)
                        costs.append(cost)
                        reached = next
                    }
                    // The first raises the floors.
                    let (early, late) = (costs[1], costs[94])
                    #expect(early > 10 && late < early + early / 5, "\(early) blocks of \(table), then \(late)")
                }
            }
        }
    }

    /// The blocks that a piece touches, how many rows it removes, and where the next begins.
    private func piece(_ table: String, from: PostgresTimestamp, _ stack: Stack) async throws -> (Int, Int, PostgresTimestamp) {
        try await stack.pool.transaction { transaction in
            let relations = "(VALUES ('\(table)'), ('\(table)_age'), ('\(table)_pkey'), ('topics'), ('topics_pkey')) r (name)"
            let touched = "SELECT sum(pg_stat_get_xact_blocks_fetched(r.name::regclass))::bigint FROM \(relations)"
            let before = try await transaction.query(touched)[0].decode(Int.self)
            let sql = "SELECT removed, reached FROM sparq_sweep_\(table)($1, \(Self.old), 1000)"
            let (removed, next) = try await transaction.query(sql, from)[0].decode(Int.self, PostgresTimestamp.self)
            return (try await transaction.query(touched)[0].decode(Int.self) - before, removed, next)
        }
    }

    /// Times of a clock that jumps. What is left must be what is young, and what was deleted must lie below the floor.
    @Test func whateverTheTimesNoYoungRowGoesAndFloorsAreRight() async throws {
        try await Stack.with { stack in
            try await stack.pool.query(
                """
                INSERT INTO events SELECT 'room:' || n % 7, n / 7 + 1,
                    now() - '3 hours'::interval + (n + (random() - 0.5) * 800) * '3 s'::interval, 'note', '{}'
                FROM generate_series(0, 3999) n
                """
            )
            try await stack.pool.query("INSERT INTO topics SELECT topic, max(seq) FROM events GROUP BY topic")
            try await stack.pool.query("CREATE TABLE written AS SELECT topic, seq, at FROM events")
            let young = try await stack.count("SELECT count(*) FROM events WHERE at >= \(Self.old)")
            try await stack.pool.query(
                "CREATE TABLE least AS SELECT topic, max(seq) AS floor FROM written WHERE at < \(Self.old) GROUP BY topic"
            )
            #expect(try await retention(stack).sweep() > 1000)
            // Some have become old meanwhile.
            let left = try await stack.count("SELECT count(*) FROM events")
            #expect((young - 40...young).contains(left), "\(left) of \(young)")
            try await stack.pool.query(
                "CREATE TABLE most AS SELECT topic, max(seq) AS floor FROM written WHERE at < \(Self.old) GROUP BY topic"
            )
            let floors = "SELECT count(*) FROM topics t JOIN least l USING (topic) JOIN most m USING (topic)"
            #expect(try await stack.count("\(floors) WHERE t.floor BETWEEN l.floor AND m.floor") == 7)
            // Every number above a floor is there.
            let whole =
                "SELECT count(*) FROM topics t WHERE seq - floor <> (SELECT count(*) FROM events e WHERE e.topic = t.topic AND e.seq > t.floor)"
            #expect(try await stack.count(whole) == 0)
        }
    }

    @Test func aSweepBeginsWhereTheLastOneEndedAndFindsWhatWasWrittenLate() async throws {
        try await Stack.with { stack in
            func fill(_ from: Int, _ to: Int, _ age: String) async throws {
                let range = "generate_series(\(from), \(to)) n"
                try await stack.pool.query("INSERT INTO events SELECT 'room:a', n, now() - '\(age)'::interval, 'note', '{}' FROM \(range)")
                let inbox = "INSERT INTO inbox (user_id, message_id, fingerprint, created_at)"
                try await stack.pool.query("\(inbox) SELECT 'u', n, 0, now() - '\(age)'::interval FROM \(range)")
            }
            let rows = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM inbox)"
            let places = "SELECT count(*) FROM sweeps WHERE reached BETWEEN \(Self.old) - '1 min'::interval AND \(Self.old)"
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 6000)")
            try await fill(1, 2500, "3 hours")
            try await fill(2501, 2510, "0")
            let retention = retention(stack)
            #expect(try await retention.sweep() == 5000)
            #expect(try await stack.count(places) == 2)
            // Behind the place, in more than one piece.
            try await fill(2511, 5000, "2 hours")
            #expect(try await retention.sweep() == 4980)
            #expect(try await stack.count(rows) == 20)
            #expect(try await stack.count("SELECT floor FROM topics") == 5000)
            #expect(try await stack.count(places) == 2)
            // A clock that was wrong has left a place in the future.
            try await stack.pool.query("UPDATE sweeps SET reached = now() + '1 year'::interval")
            try await fill(5001, 5001, "2 hours")
            #expect(try await retention.sweep() == 2)
            #expect(try await stack.count(places) == 2)
        }
    }

    @Test func theSearchForWhatWasWrittenLateGoesRoundTheTableInStretches() async throws {
        try await Stack.with { stack in
            // Some hundred blocks, the old rows in the last of them.
            let data = "'\"' || repeat('x', 1000) || '\"'"
            let rows = "generate_series(1, 1000) n"
            try await stack.pool.query(
                "INSERT INTO events SELECT 'room:a', n, now() - n / 999 * '2 hours'::interval, 'note', \(data) FROM \(rows)"
            )
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 1000)")
            let size = try await stack.count("SELECT pg_relation_size('events') / current_setting('block_size')::int")
            #expect(size > 100)
            var (block, stretches, removed) = (0, 0, 0)
            repeat {
                let sql = "SELECT removed, next FROM sparq_patrol_events($1, 40, \(Self.old), 1)"
                let (count, next) = try await stack.pool.query(sql, block)[0].decode(Int.self, Int.self)
                // A full piece is followed by another one of the same stretch.
                #expect(count == 0 ? next == block + 40 || next == 0 : next == block)
                removed += count
                stretches += count == 0 ? 1 : 0
                block = next
            } while block != 0
            #expect(removed == 2 && stretches == (size + 39) / 40)
            #expect(try await stack.count("SELECT count(*) FROM events WHERE at < \(Self.old)") == 0)
        }
    }

    @Test func oneSweepAtATime() async throws {
        try await Stack.with { stack in
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 1)")
            try await stack.pool.query("INSERT INTO events VALUES ('room:a', 1, now() - '2 hours'::interval, 'note', '{}')")
            try await stack.pool.transaction { other in
                // Also one of the version before.
                try await other.query("SELECT pg_advisory_xact_lock($1)", 0x5370_6172_7100_0001 as Int64)
                #expect(try await retention(stack).sweep() == 0)
                #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            }
            #expect(try await retention(stack).sweep() == 1)
        }
    }
}
