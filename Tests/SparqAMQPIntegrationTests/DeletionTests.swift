import SparqAMQP
import ServiceLifecycle
import Synchronization
import Testing

/// Exchanges and bindings that somebody deletes under running connections.
@Suite(.timeLimit(.minutes(1))) struct DeletionTests {
    private let exchange = Broker.name("deletion")
    private let queue = Broker.name("deletion")
    private var publishing: Topology { Topology(exchanges: [Exchange(exchange, kind: .direct)]) }
    private var consuming: Topology {
        Topology(
            exchanges: [Exchange(exchange, kind: .direct)],
            queues: [Queue(queue, arguments: ["x-expires": 60000])],
            bindings: [Binding(from: exchange, to: .queue(queue), routingKey: "key")]
        )
    }

    private func consumer(_ configuration: AMQPConfiguration, _ log: StateLog) -> Consumer {
        Consumer(
            configuration: configuration,
            topology: consuming,
            queue: queue,
            prefetch: 100,
            refreshInterval: .milliseconds(100),
            logger: Broker.logger
        ) { log.add($0) }
    }

    @Test func anExchangeThatIsDeletedUnderLoadCostsNoMessage() async throws {
        let configuration = try Broker.configuration()
        let (log, consumed) = (StateLog(), StateLog())
        let publisher = Publisher(configuration: configuration, topology: publishing, window: 64, logger: Broker.logger) { log.add($0) }
        let consumer = consumer(configuration, consumed)
        let (exchange, journal) = (self.exchange, Journal())
        try await running(publisher, consumer) {
            try await log.connected()
            try await consumed.connected()
            let consumption = Task {
                while let batch = await consumer.nextBatch() {
                    for delivery in batch {
                        journal.consume(Int(String(decoding: delivery.message.body, as: UTF8.self)) ?? -1)
                        consumer.ack(delivery.tag)
                    }
                }
            }
            defer { consumption.cancel() }
            let publication = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<32 {
                        group.addTask {
                            var number = lane
                            while !journal.isOver {
                                let message = AMQPMessage(body: Array("\(number)".utf8))
                                // The exchange is there again at once; its binding when the consumer looks.
                                guard
                                    try await publisher.publish(message, exchange: exchange, routingKey: "key", mandatory: true)
                                        == .confirmed
                                else { continue }
                                journal.confirm(number)
                                number += 32
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            let session = try await AMQPSession(configuration)
            for _ in 0..<5 {
                let count = journal.confirmedCount
                try await eventually("messages pass") { journal.confirmedCount > count + 200 }
                try await session.deleteExchange(exchange)
            }
            let count = journal.confirmedCount
            try await eventually("messages pass") { journal.confirmedCount > count + 200 }
            journal.finish()
            try await publication.value
            try await eventually("everything confirmed is consumed") { journal.isComplete }
            // The publisher lost no connection for it. The consumer may: an exchange can go between its declaration and its binding.
            #expect(log.all.filter { $0 == .connected }.count == 1)
            try await session.deleteExchange(exchange)
            session.close()
        }
    }

    @Test func anExchangeThatNobodyDeclaresIsStillAnError() async throws {
        let log = StateLog()
        let publisher = Publisher(configuration: try Broker.configuration(), topology: publishing, logger: Broker.logger) { log.add($0) }
        let (exchange, missing) = (self.exchange, Broker.name("missing"))
        try await running(publisher) {
            try await log.connected()
            let session = try await AMQPSession(try Broker.configuration())
            try await session.deleteExchange(exchange)
            // Both at once: one is declared again, the other one cannot be.
            async let known = publisher.publish(AMQPMessage(body: [1]), exchange: exchange, routingKey: "key")
            let error = await #expect(throws: AMQPError.self) {
                try await publisher.publish(AMQPMessage(body: [1]), exchange: missing, routingKey: "key")
            }
            #expect(error?.replyCode == 404)
            #expect(try await known == .confirmed)
            try await session.deleteExchange(exchange)
            session.close()
        }
    }

    @Test func aBindingIsMadeAgainByTheConsumer() async throws {
        let configuration = try Broker.configuration()
        let log = StateLog()
        let consumer = consumer(configuration, log)
        let (exchange, consuming) = (self.exchange, self.consuming)
        try await running(consumer) {
            try await log.connected()
            let session = try await AMQPSession(configuration)
            for binding in consuming.bindings { try await session.unbind(binding) }
            try await eventually("a message passes") {
                try await session.publish(AMQPMessage(body: [1]), exchange: exchange, routingKey: "key", mandatory: true) == .confirmed
            }
            #expect(log.all.filter { $0 == .connected }.count == 1)
            try await session.deleteExchange(exchange)
            session.close()
        }
    }
}
