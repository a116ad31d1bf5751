import SparqAMQP
import Logging
import SparqPostgres
import SparqWire
public import SparqWorker
import Synchronization
import Testing

@Suite struct FailureTests {
    @Test func aPoisonousMessageFailsAlone() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.on("poison", RawMessage.self) { _, _ in [.append(to: .room("a"), Unstorable())] }
            let node = try await stack.node()
            try await stack.worker(router)
            var batch = (1...20).map { post("room:a", $0, connection: "c\($0)", user: "u\($0)", id: "m") }
            batch.insert(envelope("poison", "{}", connection: "bad", id: "m"), at: 10)
            try await stack.send(batch)
            try await node.wait(dones: 21)
            #expect(node.dones.first { $0.connection == "bad" }?.reply?.text.contains(#""code":"internal""#) == true)
            #expect(node.dones.count { $0.reply?.text.contains(#""ok":true"#) == true } == 20)
            #expect(try await stack.count("SELECT seq FROM topics") == 20)
            let letters = try await stack.deadLetters()
            #expect(letters.count == 1)
            #expect(letters.first?.headers["type"]?.stringValue == "poison")
        }
    }

    /// Then the set cannot be committed as it is even before the bad one is found; and a name that the database cannot hold harms nobody.
    @Test func aPoisonousMessageThatIsThereTwiceFailsAlone() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.on("poison", RawMessage.self) { _, _ in [.append(to: .room("a"), Unstorable())] }
            let node = try await stack.node()
            try await stack.worker(router)
            var batch = (1...20).map { post("room:a", $0, connection: "c\($0)", user: "u\($0)", id: $0 == 7 ? "\0" : "m") }
            for ordinal in 1...2 { batch.insert(envelope("poison", "{}", connection: "bad", ordinal: ordinal, id: "m"), at: 10 * ordinal) }
            try await stack.send(batch)
            try await node.wait(dones: 22)
            let (bad, good) = (node.dones.filter { $0.connection == "bad" }, node.dones.filter { $0.connection != "bad" })
            #expect(bad.allSatisfy { $0.reply?.text.contains(#""code":"internal""#) == true })
            #expect(good.allSatisfy { $0.reply?.text.contains(#""ok":true"#) == true } && good.count == 20)
            #expect(try await stack.count("SELECT seq FROM topics") == 20)
            #expect(try await stack.deadLetters().count == 2)
        }
    }

    @Test func aMalformedLineDoesNotHarmTheOthers() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.posting)
            var writer = JSONWriter()
            envelope("echo", "{}", id: "a").encode(into: &writer)
            writer.raw("{\"node\":\n")
            envelope("echo", "{}", connection: "c2", id: "b").encode(into: &writer)
            try await stack.send(writer.bytes)
            try await node.wait(dones: 2)
            await worker.shutDown()
            #expect(try await stack.deadLetters().map { String(decoding: $0.body, as: UTF8.self) } == [#"{"node":"#])
            #expect(try await stack.workLeft() == 0)
        }
    }

    @Test func errorsOfClientsHaveStableCodes() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            try await stack.send([
                envelope("nope", "{}", ordinal: 1, id: "a"), envelope("post", #"{"topic":"room:a","n":"x"}"#, ordinal: 2, id: "b"),
                envelope("post", #"{"topic":"room:a","n":1}"#, ordinal: 3, user: nil, id: "c"),
                envelope(
                    "subscribe",
                    #"{"topics":{"room:a":null,"room:secret":0,"other:x":null,"room:b":-1,"room:c":1.5,"room:d":9}}"#,
                    ordinal: 4,
                    id: "d"
                ),
            ])
            try await node.wait(dones: 4)
            let replies = node.dones.map { $0.reply?.text ?? "" }
            #expect(replies[0].contains(#""code":"unknown_type""#))
            #expect(replies[1].contains(#""code":"invalid_fields""#) && replies[1].contains(#"\"n\""#))
            #expect(replies[2].contains(#""code":"unauthenticated""#))
            #expect(replies[3].contains(#""room:a":{"ok":true,"seq":0}"#))
            #expect(replies[3].components(of: #""code":"forbidden""#) == 2)
            #expect(replies[3].components(of: #""code":"invalid_cursor""#) == 3)
            let grants = node.deliveries.compactMap { if case .subscribe(_, _, let grants) = $0 { grants } else { nil } }
            #expect(grants == [[Grant(topic: "room:a", cursor: 0, head: 0)]])
        }
    }

    @Test func aPassingFailureIsTriedAgainAndALastingOneDies() async throws {
        try await Stack.with { stack in
            let attempts = Mutex<[String: [Int]]>([:])
            var router = Router()
            router.on("shaky", RawMessage.self) { _, context in
                let count = attempts.withLock { attempts in
                    attempts[context.connection ?? "", default: []].append(context.attempt)
                    return context.attempt
                }
                if context.connection == "bad" || count < 3 { throw TransientFailure("down") }
                return []
            }
            router.on("broken", RawMessage.self) { _, _ in throw Poison.Failure() }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([
                envelope("shaky", "{}", connection: "good", id: "a"), envelope("shaky", "{}", connection: "bad", id: "b"),
                envelope("broken", "{}", connection: "worse", id: "c"),
            ])
            try await node.wait(dones: 3)
            let postponed = node.deliveries.compactMap { if case .postponed(let connection, _) = $0 { connection } else { nil } }
            #expect(postponed.sorted() == ["bad", "bad", "good", "good"])
            #expect(attempts.withLock { $0["good"] } == [1, 2, 3])
            #expect(attempts.withLock { $0["bad"] } == [1, 2, 3])
            #expect(node.dones.first { $0.connection == "good" }?.reply?.text == #"{"re":"a","ok":true}"#)
            #expect(node.dones.first { $0.connection == "bad" }?.reply?.text.contains(#""code":"internal""#) == true)
            let letters = try await stack.deadLetters()
            #expect(Set(letters.compactMap { $0.headers["type"]?.stringValue }) == ["shaky", "broken"])
            #expect(letters.first { $0.headers["type"]?.stringValue == "shaky" }?.headers["attempts"]?.intValue == 3)
        }
    }

    @Test func aDatabaseThatGoesAwayIsWaitedFor() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.posting)
            for round in 0..<20 {
                try await stack.send(
                    (1...10).map { post("room:a", $0, connection: "c\(round)", ordinal: $0, user: "u\(round)", id: "m\($0)") }
                )
                if round % 4 == 3 {
                    try await stack.pool.query(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                        stack.schema
                    )
                }
            }
            try await node.wait(dones: 200)
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM events") == 200)
            #expect(try await stack.count("SELECT seq FROM topics") == 200)
            #expect(try await stack.workLeft() == 0)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test func whatIsForANodeThatIsGoneIsDropped() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.posting)
            try await stack.send([sync(["room:a": 0], version: 1, node: "gone"), envelope("echo", "{}", node: "gone", id: "x")])
            try await stack.send([post("room:a", 1, id: "m")])
            try await node.wait(dones: 1)
            await worker.shutDown()
            #expect(try await stack.workLeft() == 0)
        }
    }

    @Test func aGracefulShutdownFinishesWhatIsInHand() async throws {
        try await Stack.with { stack in
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            var router = Router()
            router.on("slow", RawMessage.self) { _, _ in
                signal.yield()
                try await Task.sleep(for: .milliseconds(500))
                return [.append(to: .room("a"), Note(n: 1))]
            }
            let node = try await stack.node()
            let worker = try await stack.worker(router)
            try await stack.send([envelope("slow", "{}", id: "m")])
            for await _ in started { break }
            await worker.shutDown()
            try await node.wait(dones: 1, seconds: 5)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(try await stack.workLeft() == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aShutdownDoesNotWaitForTheDatabaseForEver() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(.posting) { $0.drainLimit = .milliseconds(300) }
            try await stack.pool.transaction { transaction in
                try await transaction.execute("LOCK TABLE topics IN ACCESS EXCLUSIVE MODE")
                try await stack.send([post("room:a", 1, id: "m")])
                let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\(stack.schema).topics'::regclass"
                while try await stack.count(waiting) == 0 { try await Task.sleep(for: .milliseconds(10)) }
                await worker.shutDown()
            }
            #expect(try await stack.workLeft() == 1)
            try await stack.worker(.posting)
            try await node.wait(dones: 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    @Test func aKilledWorkerLeavesItsWorkToOthers() async throws {
        try await Stack.with { stack in
            let (started, signal) = AsyncStream.makeStream(of: Void.self)
            var slow = Router()
            slow.on("post", RawMessage.self) { _, _ in
                signal.yield()
                try await Task.sleep(for: .seconds(60))
                return []
            }
            let node = try await stack.node()
            let worker = try await stack.worker(slow)
            try await stack.send([post("room:a", 1, id: "m")])
            for await _ in started { break }
            await worker.kill()
            try await stack.worker(.posting)
            try await node.wait(dones: 1)
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
        }
    }
}

private enum Poison {
    struct Failure: Error {}
}

/// Lets a test append any JSON.
extension RawJSON: EventData {
    /// Any name.
    public static var eventType: String { "raw" }
}

extension String {
    func components(of part: String) -> Int { ranges(of: part).count }
}
