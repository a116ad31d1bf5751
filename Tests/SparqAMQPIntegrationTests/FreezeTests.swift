import SparqAMQP
import ServiceLifecycle
import Testing

/// Connections that something between us and the broker forgets: nothing passes, nothing ends, new ones are as before.
@Suite(.timeLimit(.minutes(2))) struct FreezeTests {
    private let queue = Broker.name("freeze")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }
    /// Two to three heartbeats of a second, the watchdog's pause, a new connection, and a slow machine.
    private static let patience = Duration.seconds(6)

    private func proxied() throws -> (Proxy, AMQPConfiguration) {
        var (proxy, configuration) = try Broker.proxied()
        configuration.heartbeat = .seconds(1)
        return (proxy, configuration)
    }

    /// Messages are written all the time, also when nothing was heard for two heartbeats: librabbitmq would wait for the broker then.
    @Test func aPublisherUnderLoadGoesOnOverANewConnection() async throws {
        let (proxy, configuration) = try proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, window: 100_000, logger: Broker.logger) { log.add($0) }
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            let load = (0..<10).map { _ in
                Task {
                    while !Task.isCancelled {
                        _ = try? await publisher.publish(
                            AMQPMessage(body: [1]),
                            exchange: "",
                            routingKey: queue,
                            timeout: .milliseconds(100)
                        )
                        try await Task.sleep(for: .milliseconds(10))
                    }
                }
            }
            defer { for task in load { task.cancel() } }
            for _ in 0..<2 {
                let position = log.count
                proxy.freezeThoseThatExist()
                let error = try await log.disconnected(from: position, within: Self.patience)
                #expect(error.code == .heartbeatTimeout)
                try await log.connected(from: position)
                let outcome = try await within(.seconds(5), "a confirm") {
                    try await publisher.publish(AMQPMessage(body: [3]), exchange: "", routingKey: queue)
                }
                #expect(outcome == .confirmed)
            }
        }
    }

    /// More is written than the kernel holds: the thread is stuck in librabbitmq.
    @Test func aPublisherInTheMiddleOfALargeWriteGoesOnOverANewConnection() async throws {
        let (proxy, configuration) = try proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            let position = log.count
            proxy.freezeThoseThatExist()
            let large = Task {
                try await publisher.publish(AMQPMessage(body: [UInt8](repeating: 1, count: 24_000_000)), exchange: "", routingKey: queue)
            }
            let error = try await log.disconnected(from: position, within: Self.patience)
            #expect(error.code == .heartbeatTimeout && error.message.contains("cut"), "\(error)")
            #expect(try await within(.seconds(20), "the large one") { try await large.value } == .confirmed)
        }
    }

    /// Idle, and with a thread that is stuck in the middle of a write.
    @Test(arguments: [1, 24_000_000]) func aPublisherWithTLSGoesOnOverANewConnection(bytes: Int) async throws {
        let (queue, topology) = (self.queue, self.topology)
        try await PrivateBroker.with { broker in
            let proxy = try Proxy(to: broker.tlsPort)
            defer { proxy.close() }
            let url = "amqps://guest:guest@localhost:\(proxy.port)?cacertfile=\(broker.authorityFile)"
            var configuration = Broker.quick(try AMQPConfiguration(url: url))
            configuration.heartbeat = .seconds(1)
            let log = StateLog()
            let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
            try await running(publisher) {
                try await log.connected()
                #expect(try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue) == .confirmed)
                let position = log.count
                proxy.freezeThoseThatExist()
                let unheard = Task {
                    try await publisher.publish(AMQPMessage(body: [UInt8](repeating: 1, count: bytes)), exchange: "", routingKey: queue)
                }
                let error = try await log.disconnected(from: position, within: Self.patience)
                #expect(error.code == .heartbeatTimeout, "\(error)")
                #expect(try await within(.seconds(20), "a confirm") { try await unheard.value } == .confirmed)
            }
        }
    }

    @Test(arguments: [true, false]) func aConsumerGoesOnOverANewConnection(acknowledges: Bool) async throws {
        let (proxy, configuration) = try proxied()
        defer { proxy.close() }
        let log = StateLog()
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 10, logger: Broker.logger) {
            log.add($0)
        }
        let (queue, topology) = (self.queue, self.topology)
        try await running(consumer) {
            try await log.connected()
            let session = try await AMQPSession(try Broker.configuration())
            try await session.declare(topology)
            for body in UInt8(0)..<8 { _ = try await session.publish(AMQPMessage(body: [body]), exchange: "", routingKey: queue) }
            var old: [Delivery] = []
            while old.count < 8, let batch = await consumer.nextBatch() { old += batch }
            let position = log.count
            proxy.freezeThoseThatExist()
            if acknowledges {
                // What is acknowledged past the deadline does no harm.
                let tags = old.map(\.tag)
                Task {
                    for tag in tags {
                        consumer.ack(tag)
                        try await Task.sleep(for: .milliseconds(400))
                    }
                }
            }
            #expect(try await log.disconnected(from: position, within: Self.patience).code == .heartbeatTimeout)
            try await log.connected(from: position)
            // The broker gives them back when it misses us, too.
            let again = try await within(.seconds(15), "what was not acknowledged") {
                var again: [Delivery] = []
                while again.count < 8, let batch = await consumer.nextBatch() { again += batch }
                return again
            }
            #expect(again.map(\.message.body) == old.map(\.message.body))
            session.close()
        }
    }

    @Test(arguments: [true, false]) func aSessionSaysSo(isIdle: Bool) async throws {
        let (proxy, configuration) = try proxied()
        defer { proxy.close() }
        let session = try await AMQPSession(configuration)
        try await session.declare(topology)
        // An idle one lives on by its heartbeats.
        try await Task.sleep(for: .seconds(4))
        #expect(try await session.inspect(queue: queue).name == queue)
        proxy.freezeThoseThatExist()
        if isIdle { try await Task.sleep(for: .seconds(4)) }
        let begin = ContinuousClock.now
        let error = await #expect(throws: AMQPError.self) { try await session.inspect(queue: queue) }
        #expect(error?.code == .heartbeatTimeout, "\(String(describing: error))")
        // By the limit for an answer, it would be ten seconds.
        #expect(ContinuousClock.now - begin < (isIdle ? .seconds(1) : Self.patience))
        session.close()
    }

    @Test func aSessionInTheMiddleOfALargeWriteSaysSo() async throws {
        let (proxy, configuration) = try proxied()
        defer { proxy.close() }
        let session = try await AMQPSession(configuration)
        proxy.freezeThoseThatExist()
        let queue = self.queue
        let error = try await within(Self.patience, "an error") {
            await #expect(throws: AMQPError.self) {
                try await session.publish(AMQPMessage(body: [UInt8](repeating: 1, count: 24_000_000)), exchange: "", routingKey: queue)
            }
        }
        #expect(error?.code == .heartbeatTimeout, "\(String(describing: error))")
        session.close()
    }

    /// Without heartbeats nobody notices silence, but the kernel a write that gets nowhere.
    @Test func withoutHeartbeatsAStuckWriteEndsToo() async throws {
        var (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        configuration.heartbeat = .zero
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let (queue, frozen) = (self.queue, proxy)
        try await running(publisher) {
            try await log.connected()
            let position = log.count
            frozen.freezeThoseThatExist()
            let large = Task {
                try await publisher.publish(AMQPMessage(body: [UInt8](repeating: 1, count: 24_000_000)), exchange: "", routingKey: queue)
            }
            let error = try await log.disconnected(from: position, within: .seconds(40))
            #expect(error.code == .connectionLost && error.message.contains("(errno 110)"), "\(error)")
            #expect(try await within(.seconds(20), "the large one") { try await large.value } == .confirmed)
        }
    }
}
