import SparqAMQP
import SparqPostgres
import SparqWire
@testable import SparqWorker
import Synchronization
import Testing

/// A handler that traps takes the whole worker along, and with it all that was in hand: the others get through all the same.
@Suite(.timeLimit(.minutes(3))) struct KillerTests {
    /// Where the message that kills stands: in a batch with others' messages, alone and before all others, among its own connection's.
    @Test(arguments: ["mixed", "first", "sameConnection"]) func whatKillsItsWorkerGoesAloneToTheDeadLetters(_ place: String) async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let killer = envelope("killer", "{}", connection: "bad", ordinal: 2, user: "bad", id: "m")
            var innocent = 8
            switch place {
            case "mixed": try await stack.send([Self.work(1), killer, Self.work(2)])
            case "first":
                try await stack.send([killer])
                for number in 1...2 { try await stack.send([Self.work(number)]) }
            default:
                innocent += 2
                try await stack.send([Self.work(9, of: "bad", 1), killer, Self.work(10, of: "bad", 3), Self.work(1), Self.work(2)])
            }
            for number in 3...8 { try await stack.send([Self.work(number)]) }
            let wanted = innocent + 1
            try await Self.withLives(stack) { lives in
                try await node.wait(for: "all answers", seconds: 150) { deliveries in
                    Set(deliveries.dones.map { "\($0.connection) \($0.ordinal)" }).count == wanted
                }
                // Twice beside the others, once beside its kind, five times alone; and before any of these once more with the rest behind it.
                #expect(lives() <= 12)
            }
            let (bad, good) = (node.dones.filter { $0.isOf(killer) }, node.dones.filter { !$0.isOf(killer) })
            #expect(!bad.isEmpty && bad.allSatisfy { $0.reply?.text.contains(#""code":"internal""#) == true })
            #expect(good.allSatisfy { $0.reply?.text.contains(#""ok":true"#) == true })
            #expect(try await stack.count("SELECT count(*) FROM events") == innocent)
            let letters = try await stack.deadLetters()
            #expect(letters.map { $0.headers["type"]?.stringValue } == ["killer"])
            #expect(letters.first?.headers["reason"]?.stringValue?.hasPrefix("worker: ") == true)
            if place == "sameConnection" {
                #expect(good.filter { $0.connection == "bad" }.map(\.ordinal) == [1, 3], "in their order")
            }
        }
    }

    /// Its worker died each time behind the commit: it took effect, whatever comes after.
    @Test func whatTookEffectIsNotGivenUp() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            try await stack.worker(.posting)
            let message = post("room:a", 1, id: "m")
            try await stack.send([message])
            try await node.wait(dones: 1)
            var writer = JSONWriter()
            for envelope in [message, post("room:a", 2, ordinal: 2, id: "n")] { envelope.encode(into: &writer) }
            let key = String(UInt64(bitPattern: Self.fingerprint(of: message)), radix: 16)
            let deaths = """
                INSERT INTO workers (worker, pool, started_at, seen_at, suspects, suspects_at)
                SELECT 'w' || n, 'default', at - interval '9 s', at, ARRAY[lpad($1, 16, '0')], at
                FROM (SELECT n, now() - n * interval '20 s' AS at FROM generate_series(1, 5) AS n) x
                """
            try await stack.pool.execute(deaths, key)
            // As what a version before it took apart.
            let again = AMQPMessage(body: writer.bytes, headers: ["sparq-deaths": 16])
            _ = try await stack.session.publish(again, exchange: stack.names.inbound, routingKey: "default", mandatory: true)
            try await node.wait(dones: 3)
            #expect(node.dones[1].reply?.text == #"{"re":"m","ok":true,"data":{"n":1},"repeat":true}"#)
            #expect(node.dones[2].reply?.text == #"{"re":"n","ok":true,"data":{"n":2}}"#)
            #expect(try await stack.deadLetters().isEmpty)
            #expect(try await stack.count("SELECT count(*) FROM events") == 2)
        }
    }

    /// One that only takes long holds up no other.
    @Test func aSlowSuspectLetsOthersPass() async throws {
        try await Stack.with { stack in
            var router = Router.posting
            router.on("slow", RawMessage.self) { _, _ in
                try await Task.sleep(for: .seconds(3600))
                return []
            }
            let node = try await stack.node()
            try await stack.worker(router)
            // So many that the other is hardly taken first.
            for message in (1...9).map({ envelope("slow", "{}", connection: "slow \($0)") }) + [post("room:a", 1)] {
                var writer = JSONWriter()
                message.encode(into: &writer)
                let suspect = AMQPMessage(body: writer.bytes, headers: ["sparq-deaths": 2])
                _ = try await stack.session.publish(suspect, exchange: stack.names.inbound, routingKey: "default", mandatory: true)
            }
            try await node.wait(dones: 1, seconds: 20)
        }
    }

    private static func fingerprint(of envelope: Envelope) -> Int64 {
        var writer = JSONWriter()
        envelope.encode(into: &writer)
        return MessageKey.fingerprint(of: writer.bytes[...])
    }

    /// Nothing that stands beside the message that kills is done before it does.
    private static var router: (Router, AsyncStream<Void>) {
        let (deaths, death) = AsyncStream.makeStream(of: Void.self)
        var router = Router()
        router.on("killer", RawMessage.self) { _, _ in
            death.yield()
            try await Task.sleep(for: .seconds(3600))
            return []
        }
        router.on("work", Post.self) { message, _ in
            try await Task.sleep(for: .milliseconds(20))
            return [.append(to: .room("a"), Note(n: message.n)), .reply(Note(n: message.n))]
        }
        return (router, deaths)
    }

    private static func work(_ number: Int, of connection: String? = nil, _ ordinal: Int = 1) -> Envelope {
        let connection = connection ?? "c\(number)"
        let fields = #"{"topic":"","n":\#(number)}"#
        return envelope("work", fields, connection: connection, ordinal: ordinal, user: connection, id: "m\(number)")
    }

    /// Starts a worker whenever one has died.
    private static func withLives(_ stack: Stack, _ body: (_ lives: () -> Int) async throws -> Void) async throws {
        let (router, deaths) = router
        let count = Mutex(0)
        let supervisor = Task {
            var deaths = deaths.makeAsyncIterator()
            while !Task.isCancelled {
                let worker = try await stack.worker(router)
                count.withLock { $0 += 1 }
                await deaths.next()
                await worker.kill()
            }
        }
        defer { supervisor.cancel() }
        try await body { count.withLock { $0 } }
    }
}

extension Done {
    fileprivate func isOf(_ envelope: Envelope) -> Bool { connection == envelope.connection && ordinal == envelope.ordinal }
}
