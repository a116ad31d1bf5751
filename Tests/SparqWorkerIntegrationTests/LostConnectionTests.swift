import SparqAMQP
import SparqPostgres
import SparqWire
import SparqWorker
import Testing

/// A worker that loses the broker while it has something in hand: the broker delivers that again.
@Suite(.timeLimit(.minutes(2))) struct LostConnectionTests {
    /// A stack with a proxy each to its broker and its database.
    private static func withProxies(_ body: (Stack, Proxy, PostgresConfiguration, Proxy) async throws -> Void) async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            let (postgres, database) = try stack.postgresThroughProxy()
            defer {
                broker.close()
                database.close()
            }
            try await body(stack, broker, postgres, database)
        }
    }

    /// Without an `id` nothing but the ack tells a message from its copy.
    @Test func whatWaitsToBeCommittedIsDropped() async throws {
        try await Self.withProxies { stack, broker, postgres, database in
            var router = Router()
            router.on("post", Post.self) { message, _ in [.append(to: Topic(rawValue: message.topic), Note(n: message.n))] }
            let (node, log) = (try await stack.node(), LogLines())
            let worker = try await stack.worker(router, log: log) {
                $0.amqp = stack.amqp(through: broker)
                $0.postgres = postgres
                $0.postgres.acquireTimeout = .milliseconds(50)
                $0.commitsInFlight = 1
            }
            database.refuse(true)
            database.cut()
            try await stack.send([post("room:a", 1)])
            // The first two copies get as far as the commit before they are lost; those behind are suspects, and wait for the database before they run.
            for delivery in 1...4 {
                try await log.reached(delivery, "waits for the database")
                if delivery < 4 { broker.cut() }
            }
            // They do not pile up until the database is back.
            try await log.reached(2, "commit given up")
            database.refuse(false)
            try await node.wait(dones: 1)
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(try await stack.workLeft() == 0)
        }
    }

    @Test func aHandlerThatWaitsForTheDatabaseIsGivenUp() async throws {
        try await Self.withProxies { stack, broker, postgres, database in
            var router = Router()
            router.onTransaction("enter", Post.self) { message, _, _ in [.append(to: .room("a"), Note(n: message.n))] }
            let (node, log) = (try await stack.node(), LogLines())
            let worker = try await stack.worker(router, log: log) {
                $0.amqp = stack.amqp(through: broker)
                $0.postgres = postgres
                $0.postgres.acquireTimeout = .milliseconds(50)
                $0.drainLimit = .seconds(60)
            }
            database.refuse(true)
            database.cut()
            try await stack.send([envelope("enter", #"{"topic":"room:a","n":1}"#)])
            for delivery in 1...4 {
                try await log.reached(delivery, "waits for the database")
                if delivery < 4 { broker.cut() }
            }
            try await log.reached(3, "waits no longer for the database")
            database.refuse(false)
            try await node.wait(dones: 1)
            // Waits for what is in hand.
            await worker.shutDown()
            #expect(try await stack.count("SELECT count(*) FROM events") == 1)
            #expect(try await stack.workLeft() == 0)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// The second message of a connection waits for the first one's confirm.
    @Test func aShutdownDoesNotWaitForTheBrokerForEver() async throws {
        try await Stack.with { stack in
            let broker = try Proxy(to: stack.amqp.hosts[0].port)
            defer { broker.close() }
            let (handled, signal) = AsyncStream.makeStream(of: Void.self)
            var router = Router()
            router.on("first", RawMessage.self) { _, _ in
                broker.freeze(.both)
                signal.yield()
                return []
            }
            router.onTransaction("second", RawMessage.self) { _, _, _ in [] }
            let worker = try await stack.worker(router) {
                $0.amqp = stack.amqp(through: broker)
                $0.amqp.heartbeat = .seconds(1)
                $0.drainLimit = .milliseconds(100)
            }
            try await stack.send([envelope("first", "{}", id: "a"), envelope("second", "{}", ordinal: 2, id: "b")])
            for await _ in handled { break }
            broker.refuse(true)
            await worker.shutDown()
            broker.cut()
            while try await stack.workLeft() == 0 { try await Task.sleep(for: .milliseconds(5)) }
        }
    }
}
