import SparqAMQP
import Glibc
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct RecoveryTests {
    private let queue = Broker.name("recovery")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }

    @Test func unconfirmedOnesArePublishedAgainInOrder() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, window: 64, logger: Broker.logger) { log.add($0) }
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            proxy.freeze(.toClient)
            let session = try await AMQPSession(try Broker.configuration())
            try await withThrowingTaskGroup(of: PublishOutcome.self) { group in
                for index in UInt8(0)..<30 {
                    group.addTask { try await publisher.publish(AMQPMessage(body: [index]), exchange: "", routingKey: queue) }
                }
                // The broker has them all; its confirms never arrive.
                try await eventually("all are in the queue") { try await session.inspect(queue: queue).messageCount == 30 }
                proxy.cut()
                proxy.freeze([])
                for try await outcome in group { #expect(outcome == .confirmed) }
            }
            var bodies: [UInt8] = []
            while let delivery = try await session.get(queue: queue) { bodies += delivery.message.body }
            #expect(bodies.count == 60)
            #expect(Array(bodies[..<30]) == Array(bodies[30...]), "the second time in another order")
            #expect(Set(bodies) == Set(0..<30))
            session.close()
        }
    }

    @Test func whatDidNotReachTheBrokerArrivesAfterACut() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            proxy.freeze(.toBroker)
            let waiting = Task { try await publisher.publish(AMQPMessage(body: [9]), exchange: "", routingKey: queue) }
            try await Task.sleep(for: .milliseconds(50))
            proxy.refuse(true)
            proxy.cut()
            proxy.freeze([])
            try await log.disconnected()
            proxy.refuse(false)
            #expect(try await within(.seconds(15), "confirmed") { try await waiting.value } == .confirmed)
        }
    }

    @Test func consumersGoOnAndOldTagsAreIgnored() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 10, logger: Broker.logger) {
            log.add($0)
        }
        let session = try await AMQPSession(try Broker.configuration())
        try await session.declare(topology)
        for body in UInt8(0)..<3 { _ = try await session.publish(AMQPMessage(body: [body]), exchange: "", routingKey: queue) }
        let queue = self.queue
        try await running(consumer) {
            func take(_ count: Int) async throws -> [Delivery] {
                try await within(.seconds(15), "deliveries") {
                    var deliveries: [Delivery] = []
                    while deliveries.count < count, let batch = await consumer.nextBatch() { deliveries += batch }
                    return deliveries
                }
            }
            let old = try await take(3)
            #expect(old.allSatisfy { consumer.isCurrent($0.tag) })
            let position = log.count
            proxy.refuse(true)
            proxy.cut()
            try await log.disconnected(from: position)
            #expect(!old.contains { consumer.isCurrent($0.tag) })
            proxy.refuse(false)
            try await log.connected(from: position)
            let new = try await take(3)
            #expect(new.allSatisfy { consumer.isCurrent($0.tag) } && !old.contains { consumer.isCurrent($0.tag) })
            #expect(new.map(\.message.body) == old.map(\.message.body))
            #expect(new.allSatisfy { $0.redelivered && $0.tag.epoch == 2 })
            for delivery in old { consumer.ack(delivery.tag, multiple: true) }
            consumer.ack(new[0].tag)
            await consumer.cancelConsuming()
        }
        try await eventually("the two that only had an old ack came back") { try await session.inspect(queue: queue).messageCount == 2 }
        session.close()
    }

    @Test func theTopologyIsDeclaredAgain() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let exchange = Broker.name("exchange")
        let topology = Topology(
            exchanges: [Exchange(exchange, kind: .topic, durable: false, autoDelete: true)],
            queues: [Queue(queue, arguments: ["x-expires": 60000])],
            bindings: [Binding(from: exchange, to: .queue(queue), routingKey: "a.#")]
        )
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let session = try await AMQPSession(try Broker.configuration())
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            try await session.deleteQueue(queue)
            try await session.deleteExchange(exchange)
            let position = log.count
            proxy.cut()
            try await log.connected(from: position)
            #expect(
                try await publisher.publish(AMQPMessage(body: [1]), exchange: exchange, routingKey: "a.b", mandatory: true) == .confirmed
            )
            #expect(try await session.inspect(queue: queue).messageCount == 1)
        }
        session.close()
    }

    @Test func handlersThatTakeEveryThreadDoNotSilenceAConnection() async throws {
        var configuration = try Broker.configuration()
        configuration.heartbeat = .seconds(1)
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        try await running(publisher) {
            try await log.connected()
            let position = log.count
            // The broker would give up after two to three heartbeats without a sign of life.
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<5 * sysconf(Int32(_SC_NPROCESSORS_ONLN)) { group.addTask { _ = usleep(1_000_000) } }
            }
            #expect(log.count == position, "\(log.all)")
        }
    }

    @Test func aSilentPeerIsNoticedByItsHeartbeat() async throws {
        var (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        configuration.heartbeat = .seconds(1)
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let frozen = proxy
        try await running(publisher) {
            try await log.connected()
            // An idle connection lives on by its heartbeats.
            try await Task.sleep(for: .seconds(3))
            #expect(log.all.last == .connected)
            let position = log.count
            // Only this direction: the broker must not be the one who notices.
            frozen.freeze(.toClient)
            let error = try await log.disconnected(from: position, within: .seconds(6))
            #expect(error.code == .heartbeatTimeout)
            frozen.freeze([])
            try await log.connected(from: position)
        }
    }
}
