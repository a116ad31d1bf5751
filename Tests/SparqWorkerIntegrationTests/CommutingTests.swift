import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// Messages of a node overtake each other. What the directory says in the end does not depend on it.
@Suite(.timeLimit(.minutes(2))) struct CommutingTests {
    private func runJoin(_ stack: Stack, _ topic: String, version: Int, joined: Int) async throws {
        try await stack.pool.execute(
            "SELECT sparq_join($1, $2, $3, $4, $5, $6, 15)",
            ["n1"],
            [version],
            [topic],
            ["n1"],
            [joined],
            [TopicChecksum.part(topic)]
        )
    }

    private func runLeave(_ stack: Stack, _ topic: String, version: Int) async throws {
        try await stack.pool.execute("SELECT sparq_leave($1, $2, $3)", ["n1"], [topic], [version])
    }

    private func topics(_ stack: Stack) async throws -> [String] {
        try await stack.pool.query("SELECT topic FROM directory WHERE node = 'n1' ORDER BY topic").map { try $0.decode(String.self) }
    }

    private func renew(_ stack: Stack, _ incarnation: String, version: Int, leaving: Bool = false) async throws {
        try await stack.pool.execute("SELECT sparq_lease('n1', $1, $2, 0, 0, true, $3, 15)", incarnation, version, leaving)
    }

    /// All changes of a node, each once or twice, in any order.
    @Test(arguments: UInt64(1)...8) func joinsAndLeavesCommute(_ seed: UInt64) async throws {
        try await Stack.with { stack in
            var generator = Seeded(state: seed)
            try await renew(stack, "i1", version: 0)
            var joined: [String: Int] = [:]
            var changes: [(topic: String, version: Int, joined: Int?)] = []
            for version in 1...120 {
                let topic = "room:\(Int.random(in: 0..<6, using: &generator))"
                if joined[topic] != nil, Bool.random(using: &generator) {
                    joined[topic] = nil
                } else {
                    joined[topic] = joined[topic] ?? version
                }
                changes.append((topic, version, joined[topic]))
                if Int.random(in: 0..<4, using: &generator) == 0 { changes.append((topic, version, joined[topic])) }
            }
            for change in changes.shuffled(using: &generator) {
                if let since = change.joined {
                    try await runJoin(stack, change.topic, version: change.version, joined: since)
                } else {
                    try await runLeave(stack, change.topic, version: change.version)
                }
            }
            #expect(try await topics(stack) == joined.keys.sorted())
        }
    }

    /// With a worker, as a node sends them: the leave is there first.
    @Test func aJoinThatComesAfterItsLeaveIsUndone() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([lease([], version: 0)])
            try await node.wait(for: "the lease") { $0.leases.count == 1 }
            try await stack.send([leave(["user:alice"], version: 2)])
            while try await stack.count("SELECT count(*) FROM departures") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await stack.send([sync(["user:alice": 0, "room:a": 0], joined: [:], version: 1)])
            try await node.wait(for: "the answer") { $0.contains { if case .synced = $0 { true } else { false } } }
            #expect(try await topics(stack) == ["room:a"])
            // It comes back.
            try await stack.send([sync(["user:alice": 0], joined: [:], version: 3)])
            while try await topics(stack).count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test func whatComesAfterTheEndOfANodeDoesNotBringItBack() async throws {
        try await Stack.with { stack in
            try await renew(stack, "i1", version: 1)
            try await runJoin(stack, "user:a", version: 2, joined: 2)
            try await renew(stack, "i1", version: 5, leaving: true)
            #expect(try await topics(stack) == [])
            try await runJoin(stack, "user:b", version: 4, joined: 4)
            try await renew(stack, "i1", version: 5)
            try await runLeave(stack, "user:a", version: 3)
            #expect(try await topics(stack) == [])
            #expect(try await stack.count("SELECT count(*) FROM nodes") == 0)
            // It starts anew.
            try await renew(stack, "i2", version: 100)
            try await runJoin(stack, "user:a", version: 101, joined: 101)
            #expect(try await topics(stack) == ["user:a"])
            // What the first life sent comes late, its end too.
            try await renew(stack, "i1", version: 5)
            try await renew(stack, "i0", version: 5, leaving: true)
            try await runJoin(stack, "user:c", version: 4, joined: 4)
            #expect(try await topics(stack) == ["user:a"])
            #expect(try await stack.count("SELECT count(*) FROM nodes WHERE incarnation = 'i2'") == 1)
        }
    }

    /// Its clock was set back: what the life before left behind has higher numbers.
    @Test func aLifeThatCountsFromLowerOnIsNotHeldUp() async throws {
        try await Stack.with { stack in
            try await renew(stack, "i1", version: 1000)
            try await runLeave(stack, "user:a", version: 1001)
            try await renew(stack, "i1", version: 1001, leaving: true)
            try await renew(stack, "i2", version: 10)
            try await runJoin(stack, "user:a", version: 11, joined: 11)
            #expect(try await topics(stack) == ["user:a"])
        }
    }

    @Test(arguments: ["leave", "lease"]) func leavesAreNotKeptForEver(_ last: String) async throws {
        try await Stack.with { stack in
            try await renew(stack, "i1", version: 1)
            try await stack.pool.execute(
                "INSERT INTO departures (node, topic, version, at) SELECT 'n' || n % 7, 'room:' || n, 1, now() - interval '1 hour' FROM generate_series(1, 500) n"
            )
            for version in 2...251 {
                if last == "leave" {
                    try await runLeave(stack, "room:x", version: version)
                } else {
                    try await renew(stack, "i1", version: version)
                }
                if try await stack.count("SELECT count(*) FROM departures WHERE topic <> 'room:x'") == 0 { break }
            }
            #expect(try await stack.count("SELECT count(*) FROM departures") == (last == "leave" ? 1 : 0))
        }
    }

    /// Rows that are right stay as they are.
    @Test func aDirectoryThatDiffersIsMendedByItsDifference() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            let names = (0..<300).map { "room:\($0)" }
            try await stack.send([sync(Dictionary(uniqueKeysWithValues: names.map { ($0, 0) }), joined: [:], version: 1)])
            try await node.wait(for: "the answer") { $0.contains { if case .synced = $0 { true } else { false } } }
            try await stack.send([mendingLease(names, version: 1)])
            try await node.wait(for: "the lease") { $0.leases == [.renewed] }
            #expect(node.deliveries.differences.isEmpty)
            let ghost = TopicChecksum.part("user:ghost")
            try await stack.pool.execute("INSERT INTO directory VALUES ('user:ghost', 'n1', 1, $1)", ghost)
            try await stack.pool.execute("DELETE FROM directory WHERE topic = 'room:7'")
            let rows = "SELECT ctid::text FROM directory WHERE topic LIKE 'room:%' ORDER BY topic"
            let before = try await stack.pool.query(rows).map { try $0.decode(String.self) }
            try await stack.send([mendingLease(names, version: 1)])
            try await node.wait(for: "the difference") { !$0.differences.isEmpty }
            #expect(node.leases == [.renewed, .renewed])
            let difference = try #require(node.deliveries.differences.first)
            let buckets = ["user:ghost", "room:7"].map { TopicChecksum.bucket(ofPart: TopicChecksum.part($0)) }
            #expect(Set(difference.buckets) == Set(buckets))
            let expected = names.filter { $0 != "room:7" && buckets.contains(TopicChecksum.bucket(ofPart: TopicChecksum.part($0))) }
            #expect(Set(difference.topics) == Set(expected + ["user:ghost"]))
            #expect(try await stack.pool.query(rows).map { try $0.decode(String.self) } == before)
        }
    }

    /// The sums say what the rows say, also where somebody wrote a row by hand.
    @Test func aWrongChecksumIsWrittenAnew() async throws {
        try await Stack.with { stack in
            try await renew(stack, "i1", version: 0)
            try await stack.pool.execute("INSERT INTO directory VALUES ('room:a', 'n1', 5, 1)")
            try await runJoin(stack, "room:a", version: 6, joined: 5)
            #expect(try await stack.count("SELECT checksum FROM directory") == TopicChecksum.part("room:a"))
        }
    }

    private func mendingLease(_ topics: [String], version: Int) -> Envelope {
        var sums = [Int](repeating: 0, count: TopicChecksum.buckets)
        for topic in topics {
            let part = TopicChecksum.part(topic)
            sums[TopicChecksum.bucket(ofPart: part)] += part
        }
        let fields = #""incarnation":"i1","version":\#(version),"topicCount":\#(topics.count),"checksum":\#(sums.reduce(0, +))"#
        let json = #"{\#(fields),"settled":true,"leaving":false,"sums":[\#(sums.map(String.init).joined(separator: ","))]}"#
        return envelope("$lease", json, connection: nil, user: nil)
    }
}

extension [SparqWire.Delivery] {
    fileprivate var differences: [Difference] { compactMap { if case .differs(let difference) = $0 { difference } else { nil } } }
}
