import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// What handlers bring is bounded where it arises, and what is in the log already stops nothing.
@Suite(.timeLimit(.minutes(2))) struct OversizeTests {
    private struct Text: EventData {
        static let eventType = "text"
        var text: String
    }

    private struct Size: Decodable, Sendable {
        var bytes: Int
        var count: Int
    }

    private static var router: Router {
        var router = Router.posting
        @Sendable func text(_ size: Size) -> Text { Text(text: String(repeating: "x", count: size.bytes)) }
        router.on("append", Size.self) { size, _ in
            Array(repeating: Effect.append(to: .room("a"), text(size)), count: size.count) + [Effect.reply(Note(n: 1))]
        }
        router.on("reply", Size.self) { size, _ in [.append(to: .room("a"), Note(n: 1)), .reply(text(size))] }
        router.on("publish", Size.self) { size, _ in [.publish(to: .room("a"), text(size))] }
        router.on("send", Size.self) { size, _ in [.append(to: .room("a"), Note(n: 1)), .send(text(size))] }
        router.onTransaction("transact", Size.self) { size, _, transaction in
            try await transaction.execute("INSERT INTO losses (node, users, at) VALUES ('of the test', '{}', now())")
            return [.append(to: .room("a"), text(size))]
        }
        router.on("wrap", RawMessage.self) { message, _ in
            let nested = Array(repeating: UInt8(ascii: "["), count: 60) + message.json + Array(repeating: UInt8(ascii: "]"), count: 60)
            return [.append(to: .room("a"), RawJSON(nested[...]))]
        }
        return router
    }

    @Test func whatIsTooLargeIsAnErrorToItsSenderAloneAndNothingOfItIsCommitted() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let worker = try await stack.worker(Self.router)
            let deep = #"{"x":\#(String(repeating: "[", count: 50))\#(String(repeating: "]", count: 50))}"#
            let bad = [
                ("append", #"{"bytes":2000000,"count":1}"#), ("append", #"{"bytes":200000,"count":60}"#),
                ("reply", #"{"bytes":20000000,"count":1}"#),
                ("publish", #"{"bytes":2000000,"count":1}"#), ("send", #"{"bytes":2000000,"count":1}"#),
                ("transact", #"{"bytes":2000000,"count":1}"#), ("wrap", deep),
            ]
            var batch = (1...10).map { post("room:a", $0, connection: "c\($0)", user: "u\($0)", id: "m") }
            for (index, (type, json)) in bad.enumerated() {
                batch.insert(envelope(type, json, connection: "bad\(index)", user: "bad\(index)", id: "m"), at: index)
                // Those behind it go on.
                batch.append(post("room:a", 100 + index, connection: "bad\(index)", ordinal: 2, user: "bad\(index)", id: "n"))
            }
            try await stack.send(batch)
            try await node.wait(dones: 10 + 2 * bad.count)
            let refused = node.dones.filter { $0.connection.hasPrefix("bad") && $0.ordinal == 1 }.compactMap { $0.reply?.text }
            #expect(refused.count == bad.count && refused.allSatisfy { $0.contains(#""code":"too_large""#) }, "\(refused)")
            #expect(node.dones.count { $0.reply?.text.contains(#""ok":true"#) == true } == 10 + bad.count)
            #expect(try await stack.count("SELECT seq FROM topics WHERE topic = 'room:a'") == 10 + bad.count)
            #expect(try await stack.count("SELECT count(*) FROM losses WHERE node = 'of the test'") == 0)
            #expect(try await stack.count("SELECT count(*) FROM inbox WHERE user_id LIKE 'bad%' AND message_id = 'm'") == 0)
            await worker.shutDown()
            #expect(try await stack.deadLetters().isEmpty)
            #expect(try await stack.workLeft() == 0)
        }
    }

    /// As an older worker wrote it, or somebody by hand.
    @Test func whatIsInTheLogAlreadyDoesNotStopItsTopic() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.pool.withConnection { connection in
                try await connection.script(
                    """
                    INSERT INTO topics (topic, seq) VALUES ('room:a', 5);
                    INSERT INTO events (topic, seq, at, type, data) VALUES
                        ('room:a', 1, now(), 'note', '{"n":1}'),
                        ('room:a', 2, now(), 'note', repeat('[', 5000) || repeat(']', 5000)),
                        ('room:a', 3, now(), 'note', '"' || repeat('x', 20000000) || '"'),
                        ('room:a', 4, now(), 'note', '{"n":'),
                        ('room:a', 5, now(), 'note', repeat('[', 90) || repeat(']', 90));
                    """
                )
            }
            try await stack.worker(Self.router)
            // A page ends before what is larger than it: as a front does, the rest is asked for.
            var events: [String] = []
            var version = 1
            while events.count < 5 {
                try await stack.send([sync(["room:a": events.count], version: version)])
                let (asked, after) = (version, events.count)
                try await node.wait(for: "a page") { $0.pages.contains { $0.version == asked && $0.after == after } }
                let page = try #require(node.pages.first { $0.version == asked })
                try #require(!page.events.isEmpty && page.first == after + 1)
                events += page.events.map(\.text)
                version += 1
            }
            #expect(events[0].hasSuffix(#""data":{"n":1}}"#))
            for (place, reason) in [(1, "too_deep"), (2, "too_large"), (3, "not_json")] {
                #expect(events[place].hasSuffix(#""data":null,"omitted":"\#(reason)"}"#), "\(events[place].prefix(200))")
            }
            #expect(events[4].contains("\"data\":[[["))
        }
    }
}
