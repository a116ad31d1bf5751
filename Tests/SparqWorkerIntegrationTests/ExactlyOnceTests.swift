import Logging
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

@Suite struct ExactlyOnceTests {
    @Test func aMessageIsAnsweredAndItsEventReachesTheNodesThatJoined() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            try await stack.send([post("room:a", 7, id: "m1"), envelope("echo", #"{"x":1}"#, connection: "c2", ordinal: 5, id: "m2")])
            try await node.wait(dones: 2)
            try await node.wait(for: "the event") { !$0.events.isEmpty }
            #expect(node.dones.first { $0.connection == "c1" }?.reply?.text == #"{"re":"m1","ok":true,"data":{"n":7}}"#)
            #expect(node.dones.first { $0.connection == "c2" }?.reply?.text == #"{"re":"m2","ok":true,"data":{"x":1}}"#)
            let event = try #require(node.events.first)
            #expect(event.topic == "room:a" && event.seq == 1)
            #expect(event.body.text.hasPrefix(#"{"type":"note","topic":"room:a","seq":1,"at":"20"#))
            #expect(event.body.text.hasSuffix(#"Z","data":{"n":7}}"#))
            await worker.shutDown()
            #expect(try await stack.workLeft() == 0)
        }
    }

    @Test func aRepeatGetsTheFirstReplyAndItsEventsAgain() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0], version: 1)])
            try await node.wait(for: "the page") { !$0.pages.isEmpty }
            try await stack.send([post("room:a", 1, id: "m"), post("room:a", 1, ordinal: 2, id: "m")])
            // As a front does: a connection's next batch follows when its last one is done.
            try await node.wait(dones: 2)
            try await stack.send([post("room:a", 2, ordinal: 3, id: "m")])
            try await node.wait(dones: 3)
            try await node.wait(for: "three publishings") { $0.events.count >= 3 }
            let replies = node.dones.sorted { $0.ordinal < $1.ordinal }.map { $0.reply?.text }
            #expect(replies[0] == #"{"re":"m","ok":true,"data":{"n":1}}"#)
            #expect(replies[1] == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true}"#)
            #expect(replies[2] == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true,"mismatch":true}"#)
            #expect(Set(node.events.map(\.body)).count == 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// Whose connection broke before the answer must not end up with the reply and without the subscription.
    @Test func aRepeatIsSubscribedAgain() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            var router = Router.posting
            router.on("enter", Post.self) { post, _ in
                [.append(to: Topic(rawValue: post.topic), Note(n: post.n)), .subscribe(Topic(rawValue: post.topic))]
            }
            try await stack.worker(router)
            for connection in ["c1", "c2"] {
                let message = #"{"topic":"room:a","n":1}"#
                try await stack.send([envelope("enter", message, connection: connection, ordinal: 1, user: "u", id: "m")])
                try await node.wait(for: "the subscription of \(connection)") { deliveries in
                    deliveries.contains { if case .subscribe(connection, _, _) = $0 { true } else { false } }
                }
            }
            #expect(node.dones.compactMap { $0.reply?.text } == [#"{"re":"m","ok":true}"#, #"{"re":"m","ok":true,"repeat":true}"#])
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }

    /// Everything is sent three times, over two workers with two committers each, and one worker is killed in between.
    @Test func resendsOverWorkersTakeEffectOnceAndNumbersHaveNoGaps() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let first = try await stack.worker(.posting)
            try await stack.worker(.posting)
            var generator = SystemRandomNumberGenerator()
            var copies: [[Envelope]] = []
            for _ in 0..<3 {
                for connection in 0..<30 {
                    copies.append(
                        (1...20).map { n in
                            post(
                                "room:\((connection + n) % 7)",
                                n,
                                connection: "c\(connection)",
                                ordinal: n,
                                user: "u\(connection)",
                                id: "m\(n)"
                            )
                        }
                    )
                }
            }
            copies.shuffle(using: &generator)
            for (index, batch) in copies.enumerated() {
                try await stack.send(batch)
                if index == 45 { await first.kill() }
            }
            try await node.wait(for: "every reply", seconds: 60) { deliveries in
                var seen: Set<String> = []
                for case .done(let done) in deliveries { seen.insert("\(done.connection) \(done.ordinal)") }
                return seen.count == 600
            }
            #expect(try await stack.count("SELECT count(*) FROM inbox") == 600)
            #expect(try await stack.count("SELECT count(*) FROM events") == 600)
            #expect(
                try await stack.count("SELECT count(*) FROM topics t WHERE seq <> (SELECT count(*) FROM events e WHERE e.topic = t.topic)")
                    == 0
            )
            #expect(
                try await stack.count("SELECT count(*) FROM topics t WHERE seq <> (SELECT max(seq) FROM events e WHERE e.topic = t.topic)")
                    == 0
            )
        }
    }

    @Test func oneConnectionsMessagesKeepTheirOrder() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            for connection in 0..<8 {
                try await stack.send(
                    (1...300).map { post("room:a", $0, connection: "c\(connection)", ordinal: $0, user: "u\(connection)", id: "m\($0)") }
                )
            }
            try await node.wait(dones: 2400)
            for connection in 0..<8 {
                #expect(node.dones.filter { $0.connection == "c\(connection)" }.map(\.ordinal) == Array(1...300))
            }
            let inversions = try await stack.count(
                """
                SELECT count(*) FROM inbox a JOIN inbox b ON b.user_id = a.user_id
                WHERE substr(a.message_id, 2)::int < substr(b.message_id, 2)::int AND a.seqs[1] > b.seqs[1]
                """
            )
            #expect(inversions == 0)
        }
    }

    @Test func aTransactionTakesEffectOnceAndARefusalLeavesNothing() async throws {
        try await Stack.with { stack in
            try await stack.pool.withConnection { try await $0.script("CREATE TABLE tally (n bigint NOT NULL)") }
            let runs = Mutex(0)
            var router = Router.posting
            router.onTransaction("count", Post.self) { message, _, transaction in
                runs.withLock { $0 += 1 }
                try await transaction.execute("INSERT INTO tally VALUES ($1)", message.n)
                if message.n < 0 { throw Refusal("too_small", "Too small.") }
                return [.append(to: .room("a"), Note(n: message.n)), .reply(Note(n: message.n))]
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.worker(router)
            let json = #"{"topic":"","n":5}"#
            for copy in 0..<20 { try await stack.send([envelope("count", json, connection: "s\(copy)", id: "same")]) }
            try await stack.send([envelope("count", #"{"topic":"","n":-1}"#, connection: "c2", id: "refused")])
            try await node.wait(dones: 21)
            #expect(try await stack.count("SELECT count(*) FROM tally") == 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(node.dones.first { $0.connection == "c2" }?.reply?.text.contains(#""code":"too_small""#) == true)
            #expect(runs.withLock { $0 } >= 2)
        }
    }

    /// Sent twice at once: what the second meets is the first's effect, to which its handler says no.
    @Test(.timeLimit(.minutes(1))) func aTransactionThatRefusesForItsOwnFirstEffectGetsTheFirstReply() async throws {
        try await Stack.with { stack in
            try await stack.pool.withConnection { try await $0.script("CREATE TABLE names (name text PRIMARY KEY)") }
            let (inserted, signal) = AsyncStream.makeStream(of: Void.self)
            let (gate, open) = AsyncStream.makeStream(of: Never.self)
            var router = Router.posting
            router.onTransaction("claim", Post.self) { message, _, transaction in
                let claim = "INSERT INTO names VALUES ($1) ON CONFLICT DO NOTHING"
                guard try await transaction.execute(claim, message.topic) == 1 else { throw Refusal("conflict", "It is taken.") }
                signal.yield()
                for await _ in gate {}
                return [.append(to: .room("a"), Note(n: message.n)), .reply(Note(n: message.n))]
            }
            let node = try await stack.node()
            for _ in 0..<2 { try await stack.worker(router) }
            let json = #"{"topic":"name","n":5}"#
            try await stack.send([envelope("claim", json, connection: "c1", id: "same")])
            for await _ in inserted { break }
            try await stack.send([envelope("claim", json, connection: "c2", id: "same")])
            try await stack.someoneWaits()
            open.finish()
            try await node.wait(dones: 2)
            let replies = node.dones.map { $0.reply?.text }
            #expect(replies.contains(#"{"re":"same","ok":true,"data":{"n":5}}"#))
            #expect(replies.contains(#"{"re":"same","ok":true,"data":{"n":5},"repeat":true}"#))
            try await stack.send([envelope("claim", json, connection: "c3", id: "another")])
            try await node.wait(dones: 3)
            #expect(node.dones.last?.reply?.text.contains(#""code":"conflict""#) == true)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }
}
