import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Synchronization
import Testing

/// Workers that die for another reason than their messages: these are innocent, all of them get through.
@Suite(.timeLimit(.minutes(8))) struct CrashLoopTests {
    enum Lock: String, CaseIterable, Sendable {
        case none = ""
        /// Nothing can be committed.
        case table = "LOCK TABLE topics IN ACCESS EXCLUSIVE MODE"
        /// What goes to one topic can't.
        case row = "INSERT INTO topics (topic, seq) VALUES ('room:r', 0)"

        /// How often all workers die.
        var deaths: Int { self == .table ? 100 : 50 }
    }

    @Test(arguments: Lock.allCases) func whatAllWorkersDieWithIsNotGivenUp(_ lock: Lock) async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let messages = Array(Self.messages.prefix(140))
            let lines = LogLines()
            // How long a worker needs here until it consumes.
            let begin = ContinuousClock.now
            try await stack.worker(Self.router).kill()
            let start = ContinuousClock.now - begin
            try await Self.send(messages.prefix(40), stack)
            try await Self.holding(lock, stack) {
                for round in 0..<lock.deaths {
                    let worker = stack.startWorker(Self.router, log: lines)
                    let share = 100 / lock.deaths
                    if round % 5 == 0 { try await Self.send(messages.dropFirst(40 + round * share).prefix(5 * share), stack) }
                    // From its start: whether it has taken anything by then is chance, as the time to connect is.
                    try await Task.sleep(for: start + .milliseconds(Int.random(in: 0...200)))
                    await worker.kill()
                    try await stack.endConnections()
                }
                #expect(try await stack.deadLetters().isEmpty)
                // Without a lock all may be through before it comes a third time.
                #expect(lock == .none || lines.count(Self.suspicion) > 0, "nothing was suspected")
            }
            try await Self.expectAll(messages, node, stack)
        }
    }

    @Test func whatWorkersHaveWhenTheyLoseTheBrokerIsNotGivenUp() async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            defer { broker.close() }
            let node = try await stack.node()
            let (lines, begun) = (LogLines(), Count())
            let worker = try await stack.worker(Self.router(begun), log: lines) {
                $0.amqp = stack.amqp(through: broker)
                $0.amqp.backoff = BackoffSettings(initial: .milliseconds(10), maximum: .milliseconds(50))
            }
            let messages = Self.messages
            try await Self.holding(.table, stack) {
                for round in 0..<50 {
                    let before = begun.value
                    try await Self.send(messages.dropFirst(3 * round).prefix(3), stack)
                    // Until it has some of these in hand, as long as those before leave it room for them.
                    let limit = ContinuousClock.now + .milliseconds(300)
                    while begun.value == before, .now < limit { try await Task.sleep(for: .milliseconds(5)) }
                    let connections = broker.accepted
                    broker.cut()
                    // Four come back: what was in hand is delivered again.
                    while broker.accepted < connections + 4 { try await Task.sleep(for: .milliseconds(5)) }
                    try await Task.sleep(for: .milliseconds(50))
                }
                #expect(try await stack.deadLetters().isEmpty)
                #expect(begun.value > 0 && lines.count(Self.suspicion) > 0, "nothing was suspected")
            }
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM workers") == 0, "ended in order")
            try await Self.expectAll(Array(messages.prefix(150)), node, stack)
        }
    }

    /// Several messages that kill, many that do not, and a worker that is killed for another reason now and then.
    @Test func whatKillsIsFoundAmongWorkersThatDieAnyway() async throws {
        try await Stack.with { stack in
            let node = try await stack.node()
            let messages = Array(Self.messages.prefix(60))
            let killers = (1...3).map { envelope("killer", "{}", connection: "bad\($0)", user: "bad\($0)", id: "m") }
            for (index, killer) in killers.enumerated() {
                try await Self.send(messages.dropFirst(20 * index).prefix(10), stack)
                try await stack.send([killer])
                try await Self.send(messages.dropFirst(20 * index + 10).prefix(10), stack)
            }
            let (deaths, death) = AsyncStream.makeStream(of: Void.self)
            var router = Self.router
            router.on("killer", RawMessage.self) { _, _ in
                death.yield()
                try await Task.sleep(for: .seconds(3600))
                return []
            }
            let killing = router
            let supervisor = Task {
                var deaths = deaths.makeAsyncIterator()
                while !Task.isCancelled {
                    let worker = stack.startWorker(killing)
                    let other = Task {
                        try await Task.sleep(for: .milliseconds(Int.random(in: 1000...6000)))
                        death.yield()
                    }
                    await deaths.next()
                    other.cancel()
                    await worker.kill()
                }
            }
            defer { supervisor.cancel() }
            try await node.wait(for: "all answers", seconds: 240) { deliveries in
                Set(deliveries.dones.map { "\($0.connection) \($0.ordinal)" }).count == messages.count + killers.count
            }
            let (bad, good) = (node.dones.filter { $0.connection.hasPrefix("bad") }, node.dones.filter { !$0.connection.hasPrefix("bad") })
            #expect(bad.allSatisfy { $0.reply?.text.contains(#""code":"internal""#) == true })
            #expect(good.allSatisfy { $0.reply?.text.contains(#""ok":true"#) ?? true })
            let letters = try await stack.deadLetters()
            #expect(Set(letters.compactMap { $0.headers["connection"]?.stringValue }) == ["bad1", "bad2", "bad3"])
            #expect(letters.allSatisfy { $0.headers["reason"]?.stringValue?.hasPrefix("worker: ") == true })
        }
    }

    // MARK: Parts

    /// What a worker logs when it takes messages that came again and again.
    private static let suspicion = "workers may have died over messages"

    private final class Count: Sendable {
        private let count = Mutex(0)
        var value: Int { count.withLock { $0 } }
        func add() { count.withLock { $0 += 1 } }
    }

    private static var router: Router { router(nil) }

    /// - Parameter begun: Counts the connections that are told to it.
    private static func router(_ begun: Count?) -> Router {
        var router = Router.posting
        router.onConnect { context in
            begun?.add()
            return [.append(to: .room("connects"), Note(n: Int(context.connection?.dropFirst(2) ?? "") ?? 0))]
        }
        router.onTransaction("own", Post.self) { message, _, transaction in
            try await transaction.query("SELECT FROM topics WHERE topic = $1 FOR UPDATE", message.topic)
            return [.append(to: Topic(rawValue: message.topic), Note(n: message.n)), .reply(Note(n: message.n))]
        }
        return router
    }

    /// Of 50 connections three each: what begins it, a message, one with a transaction of its own.
    private static let messages: [Envelope] = (0..<50).flatMap { number -> [Envelope] in
        let (connection, fields) = ("c\(number)", #"{"topic":"room:r","n":\#(number)}"#)
        return [
            envelope("$connect", #"{"type":"$connect"}"#, connection: connection, ordinal: 1, user: connection),
            envelope("post", fields, connection: connection, ordinal: 2, user: connection, id: "a"),
            envelope("own", fields, connection: connection, ordinal: 3, user: connection, id: "b"),
        ]
    }

    /// In batches of five; and what workers themselves send.
    private static func send(_ messages: some Sequence<Envelope>, _ stack: Stack) async throws {
        let messages = Array(messages)
        for start in stride(from: 0, to: messages.count, by: 5) {
            try await stack.send(Array(messages[start..<min(start + 5, messages.count)]))
        }
        try await stack.send([envelope("$presence", #"{"type":"$presence","users":["c1"]}"#, connection: nil, user: nil)])
    }

    private static func holding(_ lock: Lock, _ stack: Stack, _ body: () async throws -> Void) async throws {
        if lock == .none { return try await body() }
        try await stack.pool.transaction { transaction in
            try await transaction.execute(lock.rawValue)
            try await body()
        }
    }

    /// Each took effect once and is answered, and nothing is left.
    private static func expectAll(_ messages: [Envelope], _ node: FakeNode, _ stack: Stack) async throws {
        let worker = try await stack.worker(router)
        try await node.wait(for: "all answers", seconds: 120) { deliveries in
            Set(deliveries.dones.map { "\($0.connection) \($0.ordinal)" }).count == messages.count
        }
        #expect(node.dones.allSatisfy { $0.reply?.text.contains(#""ok":true"#) ?? true })
        // A worker that died while it moved suspects left the whole beside its parts: all are answered, and some wait still.
        var looks = 0
        while looks < 20 {
            looks = try await stack.workLeft() == 0 ? looks + 1 : 0
            try await Task.sleep(for: .milliseconds(50))
        }
        await worker.shutDown()
        #expect(try await stack.count("SELECT count(*) FROM events") == messages.count)
        // The broker takes the last acknowledgements when it has the time for them.
        let deadline = ContinuousClock.now + .seconds(10)
        while try await stack.workLeft() > 0, .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await stack.workLeft() == 0)
        #expect(try await stack.deadLetters().isEmpty)
    }
}
