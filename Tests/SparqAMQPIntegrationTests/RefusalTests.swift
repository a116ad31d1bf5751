import SparqAMQP
import Testing

@Suite(.timeLimit(.minutes(1))) struct RefusalTests {
    @Test func wrongCredentialsAreATypedError() async throws {
        var configuration = try Broker.configuration()
        configuration.password = "wr0ng-s3cret"
        let wrong = configuration
        let error = await #expect(throws: AMQPError.self) { try await AMQPSession(wrong) }
        #expect(error?.code == .accessRefused && error?.replyCode == 403)
        #expect(error?.message.contains("ACCESS_REFUSED") == true)
        let log = StateLog()
        let publisher = Publisher(configuration: wrong, logger: Broker.logger) { log.add($0) }
        try await running(publisher) {
            let reported = try await log.disconnected()
            #expect(reported.code == .accessRefused && reported.replyCode == 403)
            // It goes on trying, and says why the last attempt failed.
            try await log.first {
                if case .connecting(let attempt, let last) = $0 { attempt >= 2 && last?.replyCode == 403 } else { false }
            }
        }
        #expect(!log.all.contains { "\($0)".contains("s3cret") })
    }

    @Test func anUnknownVirtualHostIsATypedError() async throws {
        var configuration = try Broker.configuration()
        configuration.virtualHost = Broker.name("nowhere")
        let wrong = configuration
        let error = await #expect(throws: AMQPError.self) { try await AMQPSession(wrong) }
        #expect(error?.code == .connectionClosed && error?.replyCode == 530)
    }

    @Test func nobodyListening() async throws {
        var configuration = try Broker.configuration()
        configuration.hosts = [AMQPHost("127.0.0.1", port: try Ports.free())]
        let wrong = configuration
        let error = await #expect(throws: AMQPError.self) { try await AMQPSession(wrong) }
        #expect(error?.code == .connectFailed)
        configuration.hosts = [AMQPHost("no-such-host.invalid")]
        let unknown = configuration
        let unresolved = await #expect(throws: AMQPError.self) { try await AMQPSession(unknown) }
        #expect(unresolved?.code == .connectFailed)
    }

    @Test func aPeerThatSaysNothingIsGivenUp() async throws {
        var (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        proxy.freeze(.both)
        configuration.connectTimeout = .milliseconds(300)
        let silent = configuration
        let error = await #expect(throws: AMQPError.self) { try await AMQPSession(silent) }
        #expect(error?.code == .connectFailed)
    }

    @Test func aDifferentDeclarationIsATypedError() async throws {
        let configuration = try Broker.configuration()
        let session = try await AMQPSession(configuration)
        let queue = Broker.name("different")
        try await session.declare(Queue(queue, arguments: ["x-expires": 60000]))
        let error = await #expect(throws: AMQPError.self) { try await session.declare(Queue(queue, arguments: ["x-expires": 70000])) }
        #expect(error?.code == .channelClosed && error?.replyCode == 406 && error?.operation == "queue.declare \(queue)")
        // The session is as good as before.
        #expect(try await session.inspect(queue: queue).name == queue)
        let missing = await #expect(throws: AMQPError.self) { try await session.inspect(queue: "\(queue).missing") }
        #expect(missing?.replyCode == 404)
        let log = StateLog()
        let publisher = Publisher(
            configuration: configuration,
            topology: Topology(queues: [Queue(queue, arguments: ["x-expires": 70000])]),
            logger: Broker.logger
        ) { log.add($0) }
        try await running(publisher) {
            #expect(try await log.disconnected().replyCode == 406)
            // Put right by somebody: it goes on by itself.
            try await session.deleteQueue(queue)
            try await log.connected()
        }
        session.close()
        let closed = await #expect(throws: AMQPError.self) { try await session.inspect(queue: queue) }
        #expect(closed?.code == .closed)
    }

    @Test func aSessionDoesSingleThings() async throws {
        let session = try await AMQPSession(try Broker.configuration())
        let queue = Broker.name("session")
        try await session.declare(Queue(queue, arguments: ["x-expires": 60000]))
        try await session.bind(Binding(from: "amq.direct", to: .queue(queue), routingKey: queue))
        for _ in 0..<3 {
            #expect(try await session.publish(AMQPMessage(body: [1]), exchange: "amq.direct", routingKey: queue) == .confirmed)
        }
        let delivery = try #require(try await session.get(queue: queue))
        try await session.reject(delivery.tag, requeue: true)
        #expect(try await session.get(queue: queue)?.redelivered == true)
        #expect(try await session.purge(queue: queue) == 2)
        try await session.unbind(Binding(from: "amq.direct", to: .queue(queue), routingKey: queue))
        let outcome = try await session.publish(AMQPMessage(body: [1]), exchange: "amq.direct", routingKey: queue, mandatory: true)
        #expect(outcome == .returned(replyCode: 312, text: "NO_ROUTE"))
        try await session.deleteQueue(queue)
        session.close()
    }
}
