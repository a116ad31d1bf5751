import SparqPostgres
import SparqWire
import Testing

@testable import SparqWorker

@Suite(.timeLimit(.minutes(2))) struct RetentionTests {
    /// Pages that held old rows and hold new ones now: where the few old ones lie must be known without reading all of them.
    @Test func whatIsLeftOfOldRowsIsFoundWithoutReadingTheTable() async throws {
        try await Stack.with { stack in
            func fill(_ from: Int, _ age: String) async throws {
                let range = "generate_series(\(from), \(from + 49_999)) n"
                try await stack.pool.query("INSERT INTO events SELECT 'room:a', n, now() - '\(age)'::interval, 'note', '{}' FROM \(range)")
                let inbox = "INSERT INTO inbox (user_id, message_id, fingerprint, created_at)"
                try await stack.pool.query("\(inbox) SELECT 'u', n, 0, now() - '\(age)'::interval FROM \(range)")
            }
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 100000)")
            try await fill(1, "2 hours")
            try await stack.pool.query("DELETE FROM events WHERE seq % 5000 <> 0")
            try await stack.pool.query("DELETE FROM inbox WHERE message_id::int % 5000 <> 0")
            try await stack.pool.withConnection { try await $0.script("VACUUM events, inbox") }
            try await fill(50_001, "0")
            for table in ["events", "inbox"] {
                let (removed, pages) = try await stack.pool.transaction { transaction in
                    func value(_ sql: String) async throws -> Int { try await transaction.query("SELECT \(sql)")[0].decode(Int.self) }
                    let fetched = "pg_stat_get_xact_blocks_fetched('\(table)'::regclass)"
                    let before = try await value(fetched)
                    let removed = try await value("removed FROM sparq_sweep_\(table)('-infinity', now() - '1 hour'::interval, 1000)")
                    return (removed, try await value(fetched) - before)
                }
                #expect(removed == 10)
                #expect(pages < 100, "\(pages) pages of \(table)")
                let size = try await stack.count("SELECT pg_relation_size('\(table)') / 8192")
                #expect(size > 300, "too small to tell: \(size) pages")
            }
            #expect(try await stack.count("SELECT floor FROM topics") == 50_000)
        }
    }

    @Test func theOldestGoFirstAndNoMoreThanAskedFor() async throws {
        try await Stack.with { stack in
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 20), ('room:b', 20)")
            // The later a row was written the older it is, as far as the table's pages go.
            try await stack.pool.query(
                """
                INSERT INTO events SELECT t, s, now() - '2 hours'::interval + s * '1 s'::interval, 'note', '{}'
                FROM unnest(ARRAY['room:a', 'room:b']) t, generate_series(20, 1, -1) s
                """
            )
            let step = "SELECT removed FROM sparq_sweep_events('-infinity', now() - '1 hour'::interval, 10)"
            #expect(try await stack.count(step) == 10)
            #expect(try await stack.count("SELECT min(seq) FROM events") == 6)
            // All that is old is hidden at once, so that later pieces have no floor to raise.
            #expect(try await stack.count("SELECT count(*) FROM topics WHERE floor = 20") == 2)
            let written = "SELECT string_agg(xmin::text, ' ' ORDER BY topic) FROM topics"
            let before = try await stack.pool.query(written)[0].decode(String.self)
            for expected in [10, 10, 10, 0] { #expect(try await stack.count(step) == expected) }
            #expect(try await stack.pool.query(written)[0].decode(String.self) == before)
        }
    }

    /// The deletion is held up here; it takes long where the disk is slow, too.
    @Test func whoAppendsDoesNotWaitForTheDeletion() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.pool.query("INSERT INTO topics VALUES ('room:a', 1500)")
            try await stack.pool.query(
                "INSERT INTO events SELECT 'room:a', n, now() - '2 hours'::interval, 'note', '{}' FROM generate_series(1, 1500) n"
            )
            try await stack.pool.transaction { transaction in
                try await transaction.query("SELECT FROM events WHERE seq = 700 FOR UPDATE")
                try await stack.worker(.posting) {
                    $0.eventRetention = .seconds(3600)
                    $0.retentionInterval = .milliseconds(20)
                }
                try await stack.someoneWaits()
                for n in 1...3 {
                    try await stack.send([post("room:a", n, ordinal: n, id: "m\(n)")])
                    try await node.wait(dones: n, seconds: 5)
                }
                #expect(try await stack.count("SELECT count(*) FROM events") == 1503)
            }
            while try await stack.count("SELECT count(*) FROM events") > 3 {}
            #expect(try await stack.count("SELECT floor FROM topics") == 1500)
            #expect(try await stack.count("SELECT seq FROM topics") == 1503)
        }
    }
}
