import Sparq
import SparqTesting
import Testing

@testable import Messenger

/// What a client asks for costs the same however much there is: counted in the database's blocks, which no other load changes.
@Suite(.timeLimit(.minutes(3))) struct GrowthTests {
    /// A page of 50 lies in as many blocks where its rows are scattered, and each is found by a few blocks of an index.
    private static let blocks = 200

    /// How many blocks a query touches, and how many rows it returns.
    private func touched(_ sql: String, _ database: Database) async throws -> (blocks: Int, rows: Int) {
        try await database.pool.transaction { transaction in
            // The plans are made once for each connection, and the catalog's blocks are not what is counted.
            _ = try await transaction.query(sql)
            let plan = try await transaction.query("EXPLAIN (ANALYZE, BUFFERS, TIMING off) \(sql)").map { try $0.decode(String.self) }
            let buffers = try #require(plan.first { $0.contains("Buffers:") })
            let numbers = buffers.split(separator: " ").filter { $0.hasPrefix("hit=") || $0.hasPrefix("read=") }
            let top = try #require(plan.first)
            let rows = try #require(top.firstMatch(of: /actual rows=(\d+)/)?.1)
            return (numbers.reduce(0) { $0 + (Int($1.drop { $0 != "=" }.dropFirst()) ?? 0) }, try #require(Int(rows)))
        }
    }

    private func isBounded(_ sql: String, rows: Int, _ database: Database) async throws {
        let (blocks, found) = try await touched(sql, database)
        #expect(found == rows)
        #expect(blocks > 0 && blocks < Self.blocks, "\(blocks) blocks: \(sql)")
    }

    /// One log with much of everything, and what is wanted of it far behind.
    @Test func histories() async throws {
        try await Database.lent { database in
            try await database.pool.execute(
                """
                INSERT INTO events SELECT 'user:alice', n, now(),
                    CASE WHEN n <= 1000 OR n > 60000 THEN 'direct.message' ELSE 'other' END,
                    format('{"from":"%s","to":"%s","text":"%s"}', CASE WHEN n % 2 = 0 THEN 'alice' ELSE who END, CASE WHEN n % 2 = 0 THEN who ELSE 'alice' END, n)
                FROM (SELECT n, CASE WHEN n <= 200 THEN 'bob' ELSE 'carol' END AS who FROM generate_series(1, 120000) n) x
                """
            )
            try await database.pool.execute("INSERT INTO topics VALUES ('user:alice', 120000)")
            // As if all people had little: a plan must not count on it.
            try await database.pool.execute(
                """
                INSERT INTO events SELECT 'user:u' || n, 1, now(), 'direct.message', '{"from":"x","to":"u' || n || '","text":""}'
                FROM generate_series(1, 20000) n
                """
            )
            try await database.pool.withConnection { try await $0.script("ANALYZE events") }
            func page(_ other: String, before: Int) -> String {
                "SELECT * FROM messenger_direct_history('user:alice', \(other), \(before), 51)"
            }
            try await isBounded(page("'bob'", before: 1_000_000), rows: 51, database)
            try await isBounded(page("'carol'", before: 1_000_000), rows: 51, database)
            try await isBounded(page("'nobody'", before: 1_000_000), rows: 0, database)
            try await isBounded(page("NULL", before: 60_001), rows: 51, database)
            try await isBounded(page("'carol'", before: 60_001), rows: 51, database)
            try await isBounded("SELECT * FROM messenger_history('user:alice', 1000000, 51)", rows: 51, database)
            try await isBounded("SELECT * FROM sparq_pages('{user:alice}', '{0}', 50, 200000, 4000000)", rows: 50, database)
            // What retention has hidden, and not removed yet, is not walked over.
            try await database.pool.execute("UPDATE topics SET floor = 119990")
            try await isBounded(page("'carol'", before: 1_000_000), rows: 10, database)
            try await isBounded(page("'bob'", before: 1_000_000), rows: 0, database)
            let outcome = try await database.tester.send("direct.history", #"{"with":"carol","limit":3}"#, user: "alice")
            #expect(try events(outcome).map(\.seq) == [119_998, 119_999, 120_000])
        }
    }

    @Test func rooms() async throws {
        try await Database.lent { database in
            try await database.pool.execute(
                "INSERT INTO rooms (name, owner) SELECT 'r' || lpad(n::text, 6, '0'), 'bob' FROM generate_series(1, 110000) n"
            )
            try await database.pool.execute("INSERT INTO members (room, member) SELECT name, 'alice' FROM rooms WHERE name <= 'r105000'")
            try await database.pool.execute("INSERT INTO members (room, member) SELECT name, 'u' || name FROM rooms")
            try await database.pool.execute("INSERT INTO topics SELECT 'room:' || name, 7 FROM rooms")
            try await database.pool.withConnection { try await $0.script("ANALYZE rooms, members, topics") }
            try await isBounded("SELECT * FROM messenger_own_rooms('alice', 'r050000', 20)", rows: 20, database)
            try await isBounded("SELECT * FROM messenger_own_rooms('ur000007', '', 20)", rows: 1, database)
            try await isBounded("SELECT * FROM messenger_all_rooms('r050000', 101)", rows: 101, database)
            // A client that knows of no pages gets the first, and what it takes to go on.
            func page(_ json: String) async throws -> (rooms: [String], next: String?) {
                let reply = try object(try await database.tester.send("room.list", json, user: "alice").reply)
                let rooms = try #require(reply["rooms"] as? [[String: Any]])
                #expect(rooms.allSatisfy { $0["seq"] as? Int == 7 && $0["owner"] as? String == "bob" })
                return (rooms.compactMap { $0["room"] as? String }, reply["next"] as? String)
            }
            let first = try await page("{}")
            #expect(first.rooms.count == 512 && first.next == "r000512")
            let second = try await page(#"{"after":"r000512","limit":2}"#)
            #expect(second.rooms == ["r000513", "r000514"] && second.next == "r000514")
            let last = try await page(#"{"after":"r104998","limit":2}"#)
            #expect(last.rooms == ["r104999", "r105000"] && last.next == nil)
        }
    }

    @Test(arguments: [#"{"limit":0}"#, #"{"limit":513}"#, #"{"all":true,"limit":-1}"#, #"{"after":"\u0000"}"#, #"{"after":7}"#])
    func aPageThatCannotBe(_ json: String) async throws {
        try await Database.lent { database in
            let outcome = try await database.tester.send("room.list", json, user: "alice")
            #expect(outcome.refusal?.code == .invalidFields)
        }
    }

    /// What only looks like a direct message must not stop the commit that brings it.
    @Test func whatIsNoDirectMessageIsNotFound() async throws {
        try await Database.lent { database in
            for data in ["[]", "7", #"{"from":7}"#, "no JSON", #"{"from":"bob","to":"alice","text":"\u0000"}"#] {
                try await database.log(AppendedEvent(topic: .user("alice"), type: "direct.message", data: data))
            }
            try await database.log(
                AppendedEvent(topic: .user("alice"), type: "direct.message", data: #"{"from":"bob","to":"alice","text":"hi"}"#)
            )
            let outcome = try await database.tester.send("direct.history", #"{"with":"bob"}"#, user: "alice")
            #expect(try events(outcome).map(\.text) == ["hi"])
        }
    }
}
