import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// Values that the database does not take are their sender's fault, whatever handler they come to.
@Suite(.timeLimit(.minutes(2))) struct BadValueTests {
    private struct Fields: Decodable, Sendable {
        var text = ""
        var number = 0
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            text = try container.decodeIfPresent(String.self, forKey: .text) ?? ""
            number = try container.decodeIfPresent(Int.self, forKey: .number) ?? 0
        }
        private enum Keys: CodingKey { case text, number }
    }

    /// What a handler does with a text, as an expression of SQL, and a text that it does not take.
    static let values: [(sql: String, json: String)] = [
        ("SELECT $1::text", #"{"text":"a\u0000b"}"#),
        ("SELECT $1::text::int", #"{"text":"no number"}"#), ("SELECT $1::text::int", #"{"text":"99999999999"}"#),
        ("SELECT $1::text::timestamptz", #"{"text":"2026-99-99"}"#), ("SELECT $1::text::jsonb", #"{"text":"{"}"#),
        ("SELECT $1::text::jsonb ->> 'a'", #"{"text":"{\"a\":\"\\u0000\"}"}"#), ("SELECT 'x' ~ $1::text", #"{"text":"("}"#),
        ("SELECT $1::text::uuid", #"{"text":"x"}"#), ("INSERT INTO short VALUES ($1)", #"{"text":"much too long"}"#),
        ("SELECT $1::text || repeat('x', 0) WHERE ($2::bigint + 1) > 0", #"{"number":9223372036854775807}"#),
        ("SELECT $1::text WHERE $2::bigint::int > 0", #"{"number":3000000000}"#), ("SELECT $1::text", #"{"number":1e400}"#),
        ("INSERT INTO indexed VALUES ($1 || (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 2000) n))", #"{"text":"x"}"#),
    ]

    @Test(arguments: values.indices, [false, true]) func theSenderIsToldAndNothingIsADeadLetter(_ place: Int, inATransaction: Bool)
        async throws
    {
        let (sql, json) = Self.values[place]
        try await Stack.with { stack in
            try await stack.pool.withConnection {
                try await $0.script("CREATE TABLE short (t varchar(3)); CREATE TABLE indexed (t text PRIMARY KEY)")
            }
            @Sendable func ask(_ fields: Fields, _ database: any PostgresExecutor) async throws {
                if sql.contains("$2") {
                    try await database.query(sql, fields.text, fields.number)
                } else {
                    try await database.query(sql, fields.text)
                }
            }
            var router = Router.posting
            router.on("ask", Fields.self) { fields, context in
                try await ask(fields, context.database)
                return [.reply(Note(n: 1))]
            }
            router.onTransaction("write", Fields.self) { fields, _, transaction in
                // It goes on regardless.
                do { try await ask(fields, transaction) } catch is PostgresError {}
                try await transaction.query("SELECT 1")
                return [.append(to: .room("a"), Note(n: 1)), .reply(Note(n: 1))]
            }
            let node = try await stack.node()
            try await stack.worker(router) { $0.defectPatience = .milliseconds(200) }
            let type = inATransaction ? "write" : "ask"
            try await stack.send([envelope(type, json, id: "m"), envelope("echo", "{}", ordinal: 2, id: "n")])
            try await node.wait(dones: 2)
            #expect(node.dones[0].reply?.text.contains(#""code":"invalid_fields""#) == true, "\(node.dones[0].reply?.text ?? "")")
            #expect(node.dones[1].reply?.text.contains(#""ok":true"#) == true)
            #expect(try await stack.deadLetters().isEmpty)
            #expect(try await stack.count("SELECT count(*) FROM events") == 0)
        }
    }

    /// A handler that takes the bytes as they are is on its own; the database's word counts all the same.
    @Test func rawMessagesAreNoExceptionForTheDatabase() async throws {
        try await Stack.with { stack in
            var router = Router()
            router.on("raw", RawMessage.self) { message, context in
                try await context.database.query("SELECT $1::text::jsonb ->> 'a'", String(decoding: message.json, as: UTF8.self))
                return []
            }
            let node = try await stack.node()
            try await stack.worker(router)
            try await stack.send([envelope("raw", #"{"a":"\u0000"}"#, id: "m")])
            try await node.wait(dones: 1)
            #expect(node.dones[0].reply?.text.contains("invalid_fields") == true)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// What took effect is answered as it was then.
    @Test func anEffectOfBeforeIsAnsweredAllTheSame() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let first = try await stack.worker(.posting)
            try await stack.send([post("room:a", 1, id: "m")])
            try await node.wait(dones: 1)
            await first.shutDown()
            var router = Router()
            router.on("post", RawMessage.self) { _, context in
                try await context.database.query("SELECT 'x'::int")
                return []
            }
            try await stack.worker(router)
            try await stack.send([post("room:a", 1, connection: "c2", id: "m")])
            try await node.wait(dones: 2)
            #expect(node.dones[1].reply?.text.contains(#""repeat":true"#) == true)
        }
    }
}
