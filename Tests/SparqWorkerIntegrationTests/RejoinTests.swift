import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// Nodes that ask anew for what they have: what the directory says already is left as it is, and only what is new is told.
@Suite(.timeLimit(.minutes(2))) struct RejoinTests {
    @Test func whatIsThereIsNotWrittenAgainAndWhatIsNewIsTold() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([post("room:b", 1, id: "m1")])
            try await node.wait(dones: 1)
            try await stack.send([sync(["room:a": 0, "room:b": 0, "room:c": 0], joined: [:], version: 5)])
            try await node.wait(for: "the answer") { $0.synced == [Synced(version: 5, behind: ["room:b"])] }
            #expect(node.pages.map(\.topic) == ["room:b"] && node.pages.map(\.head) == [1])
            let places = "SELECT ctid::text || version || xmax::text FROM directory ORDER BY topic"
            let before = try await stack.pool.query(places).map { try $0.decode(String.self) }
            #expect(before.count == 3)
            let joined = ["room:a": 5, "room:b": 5, "room:c": 5]
            try await stack.send([sync(["room:a": 0, "room:b": 1, "room:c": 0], joined: joined, version: 9)])
            try await node.wait(for: "the answer") { $0.synced.count == 2 }
            #expect(node.deliveries.synced.last == Synced(version: 9, behind: []))
            #expect(node.pages.count == 1)
            #expect(try await stack.pool.query(places).map { try $0.decode(String.self) } == before)
            // The lease is compared as of the later version.
            try await stack.send([lease(["room:a", "room:b", "room:c"], version: 9)])
            try await node.wait(for: "the lease") { $0.leases == [.renewed] }
            // A log that is shorter than what the node has is news too.
            try await stack.send([sync(["room:b": 7], joined: joined, version: 10)])
            try await node.wait(for: "the page") { $0.synced.last == Synced(version: 10, behind: ["room:b"]) }
            #expect(node.pages.last?.after == 7 && node.pages.last?.head == 1)
        }
    }

    /// The fronts of the version before send and understand less.
    @Test func aFrontOfTheVersionBeforeGetsAPageForEachTopic() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0, "room:b": 0], version: 1)])
            try await node.wait(for: "pages") { $0.pages.count == 2 }
            #expect(node.pages.allSatisfy { $0.after == 0 && $0.first == 1 && $0.head == 0 && $0.events.isEmpty })
            #expect(node.deliveries.synced.isEmpty)
            try await stack.send([sync(["room:a": 0], version: 2)])
            try await node.wait(for: "page") { $0.pages.count == 3 }
            #expect(try await stack.count("SELECT sum(version)::bigint FROM directory") == 3)
        }
    }

    /// Workers of the version before call it so.
    @Test func theFunctionsOfTheVersionBeforeWorkOn() async throws {
        try await Stack.with { stack in
            let join = "SELECT sparq_join($1, $2, $3, $4, 15)"
            for version in [3, 2] {
                try await stack.pool.execute(join, ["n1", "n1", "n2"], ["room:a", "room:b", "room:a"], [version, version, 1], [1, 1, 1])
            }
            #expect(try await stack.count("SELECT sum(version)::bigint FROM directory") == 7)
            #expect(try await stack.count("SELECT version FROM nodes WHERE node = 'n1'") == 3)
            let pages = try await stack.pool.query("SELECT item FROM sparq_pages($1, $2, 10, 1000, 1000)", ["room:a"], [0])
            #expect(pages.count == 1)
        }
    }

    @Test func aJoinRenewsTheLease() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.pool.query("INSERT INTO nodes (node, version, expires_at) VALUES ('n1', 5, now() + '5 s'::interval)")
            try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0], joined: ["room:a": 1], version: 2)])
            try await node.wait(for: "the answer") { $0.synced.count == 1 }
            #expect(try await stack.count("SELECT count(*) FROM nodes WHERE expires_at > now() + '10 s'::interval") == 1)
            // And writes it once a second at most, where it says nothing else that is new.
            let place = "SELECT (ctid::text || expires_at) FROM nodes"
            let before = try await stack.pool.query(place).first?.decode(String.self)
            try await stack.pool.execute(
                "SELECT sparq_join($1, $2, $3, $4, $5, $6, 15)",
                ["n1"],
                [5],
                ["room:a"],
                ["n1"],
                [1],
                [TopicChecksum.part("room:a")]
            )
            #expect(try await stack.pool.query(place).first?.decode(String.self) == before)
        }
    }

    /// What stands under the name of a node that has no row goes, at once or later: nobody may count on it.
    @Test(arguments: ["$sync", "$lease"])
    func aNodeThatIsNewBeginsWithAnEmptyDirectory(_ first: String) async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.pool.query(
                "INSERT INTO directory VALUES ('room:a', 'n1', 5, 1), ('room:b', 'n1', 5, 1), ('room:a', 'n2', 5, 1)"
            )
            try await stack.worker(.posting)
            if first == "$sync" {
                try await stack.send([sync(["room:a": 0], joined: ["room:a": 5], version: 6)])
                try await node.wait(for: "the answer") { $0.synced.count == 1 }
            } else {
                try await stack.send([lease(["room:a", "room:b"], version: 6)])
                try await node.wait(for: "the lease") { $0.leases == [.resync] }
            }
            let left = try await stack.pool.query("SELECT topic || node FROM directory ORDER BY 1").map { try $0.decode(String.self) }
            #expect(left == (first == "$sync" ? ["room:an1", "room:an2"] : ["room:an2"]))
        }
    }

    /// Joins, leaves and their copies, late and in any order, of a topic that a node takes up and leaves again and again: where its last word was
    /// a join that is answered, the row is there.
    @Test(arguments: UInt64(1)...6)
    func anOlderChangeNeverUndoesANewerOne(_ seed: UInt64) async throws {
        try await Stack.with { stack in
            var generator = Seeded(state: seed)
            var version = 0
            var joined: [String: Int] = [:]
            var late: [(topic: String, version: Int, joined: Int?)] = []
            let topics = ["room:a", "room:b", "room:c"]
            func carryOut(_ change: (topic: String, version: Int, joined: Int?)) async throws {
                if let since = change.joined {
                    try await stack.pool.execute(
                        "SELECT sparq_join($1, $2, $3, $4, $5, $6, 15)",
                        ["n1"],
                        [change.version],
                        [change.topic],
                        ["n1"],
                        [since],
                        [1]
                    )
                } else {
                    try await stack.pool.execute("SELECT sparq_leave($1, $2, $3)", ["n1"], [change.topic], [change.version])
                }
            }
            for _ in 0..<300 {
                let topic = topics.randomElement(using: &generator) ?? ""
                version += 1
                let change: (topic: String, version: Int, joined: Int?)
                if joined[topic] != nil, Int.random(in: 0..<3, using: &generator) == 0 {
                    joined[topic] = nil
                    change = (topic, version, nil)
                } else {
                    joined[topic] = joined[topic] ?? version
                    change = (topic, version, joined[topic])
                }
                if Int.random(in: 0..<3, using: &generator) == 0 { late.append(change) }
                // A leave may be late and first only then; a join's answer is what the node waits for.
                if change.joined != nil || Int.random(in: 0..<2, using: &generator) == 0 {
                    try await carryOut(change)
                } else {
                    late.append(change)
                }
                while let some = late.indices.randomElement(using: &generator), Int.random(in: 0..<2, using: &generator) == 0 {
                    try await carryOut(late.remove(at: some))
                }
                let rows = try await stack.pool.query("SELECT topic FROM directory").map { try $0.decode(String.self) }
                #expect(Set(rows).isSuperset(of: joined.keys), "after \(change)")
            }
        }
    }

    /// Of a user who was there all the time there is nothing to say; but where a worker may have died before it said so, it is said.
    @Test func presenceIsToldOfRowsThatAreWritten() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.onPresence { presence, _ in [.publish(to: .room("watch"), Note(n: presence.user == "alice" ? 1 : 2))] }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([sync(["room:watch": 0, "user:alice": 0], joined: [:], version: 1)])
            try await node.wait(for: "alice") { $0.events.count == 1 }
            let joined = ["room:watch": 1, "user:alice": 1]
            try await stack.send([sync(["room:watch": 0, "user:alice": 0], joined: joined, version: 2)])
            try await node.wait(for: "the answer") { $0.synced.count == 2 }
            try await stack.send([sync(["user:bob": 0], joined: [:], version: 3)])
            try await node.wait(for: "bob") { $0.events.count >= 2 }
            #expect(node.events.map { $0.body.text.contains(#""n":1"#) } == [true, false])
        }
    }
}

extension [SparqWire.Delivery] {
    fileprivate var synced: [Synced] { compactMap { if case .synced(let synced) = $0 { synced } else { nil } } }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
