import Logging
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

@Suite struct DirectoryTests {
    /// Joins and commits at the same time, on two workers: the event is in the page, or it was published to the node.
    @Test func anEventIsInThePageOrFindsTheNode() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.worker(.posting)
            let rounds = 300
            for round in 0..<rounds {
                async let posted: Void = stack.send([post("room:\(round)", round, connection: "c\(round)", id: "m\(round)")])
                async let joined: Void = stack.send([sync(["room:\(round)": 0], version: round + 1)])
                _ = try await (posted, joined)
            }
            try await node.wait(dones: rounds)
            try await node.wait(for: "all events") { deliveries in
                var topics: Set<String> = []
                for delivery in deliveries {
                    if case .event(let event) = delivery { topics.insert(event.topic) }
                    if case .page(let page) = delivery, !page.events.isEmpty { topics.insert(page.topic) }
                }
                return topics.count == rounds
            }
            #expect(node.pages.count >= rounds)
        }
    }

    /// Clients' messages may fill their queue, the worker's hands and its database connections.
    @Test func whatNodesAskDoesNotWaitBehindClients() async throws {
        try await Stack.with { stack in
            let isOpen = Mutex(false)
            var router = Router.posting
            let running = Mutex(0)
            router.onTransaction("slow", RawMessage.self) { _, _, _ in
                running.withLock { $0 += 1 }
                while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
                return []
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.prefetch = 8 }
            for number in 1...50 { try await stack.send([envelope("slow", "{}", connection: "c\(number)", id: "m\(number)")]) }
            while running.withLock({ $0 < 3 }) { try await Task.sleep(for: .milliseconds(5)) }
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await stack.send([lease(["room:a"])])
            // Shorter than a node's patience; the clients' messages are not done before the gate opens.
            try await node.wait(for: "page and lease", seconds: 4) { !$0.pages.isEmpty && !$0.leases.isEmpty }
            #expect(node.dones.isEmpty)
            isOpen.withLock { $0 = true }
            try await node.wait(dones: 50)
        }
    }

    @Test(.timeLimit(.minutes(2))) func anOldLeaveDoesNotUndoANewJoin() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0, "room:b": 0], version: 5)])
            try await node.wait(for: "pages") { $0.pages.count == 2 }
            try await stack.send([
                envelope("$leave", #"{"version":5,"topics":["room:a"]}"#, connection: nil, user: nil),
                envelope("$leave", #"{"version":6,"topics":["room:b"]}"#, connection: nil, user: nil),
            ])
            try await stack.send([sync(["room:a": 0], version: 3)])
            try await node.wait(for: "page") { $0.pages.count == 3 }
            // AMQP messages may overtake each other. Both leaves are of one message, and the first goes no later than the second.
            while try await stack.count("SELECT count(*) FROM directory WHERE topic = 'room:b'") > 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            let rows = try await stack.pool.query("SELECT topic, version FROM directory").map { try $0.decode(String.self, Int.self) }
            #expect(rows.map(\.0) == ["room:a"] && rows.map(\.1) == [5])
        }
    }

    @Test func pagesHaveLimitsAndTellWhereTheLogBegins() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send((1...300).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            try await node.wait(dones: 300)
            try await stack.pool.query("UPDATE topics SET floor = 10")
            try await stack.pool.query("DELETE FROM events WHERE seq <= 10")
            for after in [0, 266, 300] {
                try await stack.send([
                    envelope("$read", #"{"topic":"room:a","after":\#(after),"connection":"c"}"#, connection: nil, user: nil)
                ])
            }
            try await node.wait(for: "pages") { $0.pages.count == 3 }
            let pages = node.pages.sorted { $0.after < $1.after }
            #expect(pages.map(\.first) == [11, 267, 301])
            #expect(pages.map(\.last) == [266, 300, 300])
            #expect(pages.allSatisfy { $0.head == 300 && $0.connection == "c" })
        }
    }

    /// A node that lost its broker asks for all of its topics at once.
    @Test func manyPagesTogetherHaveALimit() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            // 40 topics with two pages each, 12 MB together.
            try await stack.pool.query(
                """
                INSERT INTO events SELECT 'room:' || t, s, now(), 'note', '"' || repeat('x', 150000) || '"'
                FROM generate_series(10, 49) t, generate_series(1, 2) s
                """
            )
            try await stack.pool.query("INSERT INTO topics SELECT 'room:' || t, 2 FROM generate_series(10, 49) t")
            var cursors = Dictionary(uniqueKeysWithValues: (10..<50).map { ("room:\($0)", 0) })
            var version = 0
            while !cursors.isEmpty, version < 10 {
                version += 1
                let asked = version
                let count = cursors.count
                try await stack.send([sync(cursors, version: version)])
                try await node.wait(for: "pages") { $0.pages.count { $0.version == asked } == count }
                let pages = node.pages.filter { $0.version == asked }
                #expect(pages.allSatisfy { $0.head == 2 && $0.after == cursors[$0.topic] && $0.first == $0.after + 1 })
                let bytes = pages.reduce(0) { $0 + $1.events.reduce(0) { $0 + $1.count } }
                #expect(bytes > 0 && bytes < 5 << 20, "\(bytes) bytes")
                for page in pages { cursors[page.topic] = page.last < page.head ? page.last : nil }
            }
            #expect(cursors.isEmpty)
        }
    }

    @Test func whatIsTooOldGoesAndTheFloorSaysSo() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting) {
                $0.eventRetention = .zero
                $0.inboxRetention = .zero
                $0.retentionInterval = .milliseconds(20)
            }
            try await stack.send((1...5).map { post("room:a", $0, ordinal: $0, id: "m\($0)") })
            try await node.wait(dones: 5)
            var rows = -1
            for _ in 0..<2000 where rows != 0 {
                rows = try await stack.count("SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM inbox)")
            }
            #expect(rows == 0)
            #expect(try await stack.count("SELECT floor FROM topics") == 5)
            try await stack.send([envelope("$read", #"{"topic":"room:a","after":2,"connection":"c"}"#, connection: nil, user: nil)])
            try await node.wait(for: "page") { !$0.pages.isEmpty }
            #expect(node.pages.first?.first == 6 && node.pages.first?.head == 5)
        }
    }

    @Test func aLeaseTellsWhetherTheDirectoryIsRight() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            func answer(_ incarnation: String, _ topics: [String], version: Int) async throws -> LeaseAnswer? {
                let before = node.leases.count
                try await stack.send([lease(topics, version: version, incarnation: incarnation)])
                try await node.wait(for: "lease") { $0.leases.count > before }
                return node.leases.last
            }
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await node.wait(for: "page") { $0.pages.count == 1 }
            #expect(try await answer("i1", ["room:a"], version: 1) == .renewed)
            #expect(try await answer("i1", ["room:b"], version: 1) == .resync)
            #expect(try await stack.count("SELECT count(*) FROM directory") == 0)
            try await stack.send([sync(["room:a": 0], version: 2)])
            try await node.wait(for: "page") { $0.pages.count == 2 }
            #expect(try await answer("i2", [], version: 3) == .renewed)
            #expect(try await stack.count("SELECT count(*) FROM directory") == 0)
        }
    }

    /// Messages overtake each other; what a lease says is true of its own version alone.
    @Test func aLeaseOfAnotherVersionIsNotCompared() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            func answer(_ topics: [String], version: Int) async throws -> LeaseAnswer? {
                let before = node.leases.count
                try await stack.send([lease(topics, version: version)])
                try await node.wait(for: "lease") { $0.leases.count > before }
                return node.leases.last
            }
            func leave(_ topic: String, version: Int) async throws {
                try await stack.send([envelope("$leave", #"{"version":\#(version),"topics":["\#(topic)"]}"#, connection: nil, user: nil)])
                let rows = "SELECT count(*) FROM directory WHERE topic = '\(topic)'"
                while try await stack.count(rows) > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await stack.send([sync(["room:b": 0], version: 2)])
            try await node.wait(for: "pages") { $0.pages.count == 2 }
            // Sent before the second join, or before a leave.
            #expect(try await answer(["room:a"], version: 1) == .renewed)
            try await leave("room:b", version: 3)
            #expect(try await answer(["room:a", "room:b"], version: 2) == .renewed)
            #expect(try await answer(["room:a"], version: 3) == .renewed)
            #expect(try await stack.count("SELECT count(*) FROM directory") == 1)
            // It overtook the leave that it knows of.
            #expect(try await answer([], version: 4) == .renewed)
            try await leave("room:a", version: 4)
            #expect(try await answer([], version: 4) == .renewed)
            // A change that never comes is found with the second lease.
            #expect(try await answer(["room:c"], version: 5) == .renewed)
            #expect(try await answer(["room:c"], version: 5) == .resync)
            // So is a node that was removed, at once.
            try await stack.pool.query("DELETE FROM nodes")
            #expect(try await answer(["room:c"], version: 6) == .resync)
        }
    }

    /// A node that is busy synchronising is not compared; but without a row there is nothing to compare, however busy it is.
    @Test func aNodeThatWasTakenForDeadIsToldSoWhileItIsBusy() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            func answer(_ topics: [String], version: Int) async throws -> LeaseAnswer? {
                let before = node.leases.count
                try await stack.send([lease(topics, version: version, settled: false)])
                try await node.wait(for: "lease") { $0.leases.count > before }
                return node.leases.last
            }
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await node.wait(for: "page") { $0.pages.count == 1 }
            #expect(try await answer(["room:a", "room:b"], version: 1) == .renewed)
            #expect(try await stack.count("SELECT count(*) FROM directory") == 1)
            // As the reaper does.
            try await stack.pool.query("DELETE FROM directory")
            try await stack.pool.query("DELETE FROM nodes")
            #expect(try await answer(["room:a", "room:b"], version: 1) == .resync)
            // It is known again, and busy with all of its topics.
            #expect(try await answer(["room:a", "room:b"], version: 1) == .renewed)
            // Nothing is missing of a node without topics.
            try await stack.pool.query("DELETE FROM nodes")
            #expect(try await answer([], version: 2) == .renewed)
        }
    }

    /// It may have clients still, and renew its lease in a moment.
    @Test func aNodeWhoseLeaseHasJustRunOutIsToldToo() async throws {
        try await Stack.with { stack in
            var router = Router()
            router.on("expel", RawMessage.self) { _, _ in [.disconnect(.user("bob"))] }
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('n2', now() - '1 s'::interval)")
            let late = try await stack.node("n2")
            try await stack.worker(router)
            try await stack.send([envelope("expel", "{}")])
            try await late.wait(for: "the disconnect") { deliveries in
                deliveries.contains { if case .disconnect(.user("bob"), _, _, _, _) = $0 { true } else { false } }
            }
        }
    }

    /// It may be asleep, and its queue keeps for it what it must know.
    @Test func aNodeThatWasTakenForDeadIsToldToo() async throws {
        try await Stack.with { stack in
            var router = Router()
            router.on("expel", RawMessage.self) { _, _ in [.unsubscribe(.room("a"), user: "bob"), .disconnect(.user("bob"))] }
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('n2', now()), ('n3', now() + '1 hour'::interval)")
            try await stack.pool.query("INSERT INTO directory VALUES ('room:a', 'n2', 1, 1)")
            // The other one has no row for the room: its own `$sync` may be on its way still.
            let nodes = [try await stack.node("n2"), try await stack.node("n3")]
            try await stack.worker(router) {
                $0.leaseDuration = .seconds(1)
                $0.reapInterval = .milliseconds(50)
            }
            while try await stack.count("SELECT count(*) FROM losses WHERE announced") == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await stack.count("SELECT count(*) FROM nodes") == 1)
            try await stack.send([envelope("expel", "{}")])
            for node in nodes {
                try await node.wait(for: "both") { deliveries in
                    deliveries.contains { if case .disconnect(.user("bob"), _, _, _, _) = $0 { true } else { false } }
                        && deliveries.contains { if case .unsubscribe(.user("bob"), _, _, ["room:a"]) = $0 { true } else { false } }
                }
            }
        }
    }

    @Test func aDeadNodeIsRemovedByOneWorker() async throws {
        try await Stack.with { stack in
            let lost = Mutex<[String]>([])
            var router = Router.posting
            router.onNodeLost { node, _, _ in
                lost.withLock { $0.append(node) }
                return [.append(to: .room("a"), Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) SELECT 'dead' || n, now() FROM generate_series(1, 10) n")
            try await stack.pool.query("INSERT INTO directory SELECT 'room:x', 'dead' || n, 1, 1 FROM generate_series(1, 10) n")
            try await stack.pool.query("INSERT INTO directory VALUES ('room:x', 'orphan', 1, 1)")
            try await stack.pool.query("INSERT INTO nodes (node, expires_at) VALUES ('n1', now() + interval '1 hour')")
            for _ in 0..<3 {
                try await stack.worker(router) {
                    $0.leaseDuration = .seconds(1)
                    $0.reapInterval = .milliseconds(100)
                }
            }
            try await stack.send([envelope("$sync", #"{"version":1,"topics":{"room:a":0}}"#, connection: nil, user: nil)])
            try await node.wait(for: "ten events") { deliveries in
                var seqs: Set<Int> = []
                for delivery in deliveries {
                    if case .event(let event) = delivery, let seq = event.seq { seqs.insert(seq) }
                    if case .page(let page) = delivery { seqs.formUnion(page.first..<(page.first + page.events.count)) }
                }
                return seqs.isSuperset(of: 1...10)
            }
            #expect(lost.withLock { $0.sorted() } == (1...10).map { "dead\($0)" }.sorted())
            #expect(try await stack.count("SELECT count(*) FROM directory WHERE node LIKE 'dead%'") == 0)
        }
    }
}
