import SparqAMQP
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct ConsumeTests {
    private let queue = Broker.name("consume")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }

    private func consumer(_ configuration: AMQPConfiguration, prefetch: UInt16 = 100, log: StateLog = StateLog()) -> Consumer {
        Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: prefetch, logger: Broker.logger) { log.add($0) }
    }

    private static func take(_ count: Int, from consumer: Consumer) async throws -> [Delivery] {
        try await within(.seconds(15), "\(count) deliveries") {
            var deliveries: [Delivery] = []
            while deliveries.count < count, let batch = await consumer.nextBatch() { deliveries += batch }
            return deliveries
        }
    }

    private static func fill(_ session: AMQPSession, _ queue: String, _ bodies: Range<UInt8>) async throws {
        for body in bodies { _ = try await session.publish(AMQPMessage(body: [body]), exchange: "", routingKey: queue) }
    }

    @Test func noMoreThanThePrefetchIsUnsettled() async throws {
        let configuration = try Broker.configuration()
        let session = try await AMQPSession(configuration)
        try await session.declare(topology)
        try await Self.fill(session, queue, 0..<20)
        let consumer = consumer(configuration, prefetch: 5)
        let queue = self.queue
        try await running(consumer) {
            let first = try await Self.take(5, from: consumer)
            try await Task.sleep(for: .milliseconds(200))
            #expect(first.count == 5)
            #expect(try await session.inspect(queue: queue).messageCount == 15)
            consumer.ack(try #require(first.last).tag, multiple: true)
            var rest: [Delivery] = []
            while rest.count < 15 {
                let some = try await Self.take(1, from: consumer)
                for delivery in some { consumer.ack(delivery.tag) }
                rest += some
            }
            #expect((first + rest).map(\.message.body) == (0..<20).map { [UInt8($0)] })
        }
        // Everything was acked: nothing comes back when the consumer is gone.
        try await eventually("the consumer is gone") { try await session.inspect(queue: queue).consumerCount == 0 }
        #expect(try await session.inspect(queue: queue).messageCount == 0)
        session.close()
    }

    /// What a full queue drops comes by a second one, which holds one message and is consumed beside the first.
    @Test func aSecondQueueBesideTheFirstTellsOfWhatAFullOneDropped() async throws {
        let configuration = try Broker.configuration()
        let session = try await AMQPSession(configuration)
        let (queue, other) = (queue, Broker.name("other"))
        let topology = Topology(queues: [
            Queue(other, arguments: ["x-expires": 60000, "x-max-length": 1]),
            Queue(
                queue,
                arguments: [
                    "x-expires": 60000, "x-max-length": 5, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(other),
                ]
            ),
        ])
        try await session.declare(topology)
        let consumer = Consumer(
            configuration: configuration,
            topology: topology,
            queue: queue,
            beside: other,
            prefetch: 2,
            logger: Broker.logger
        )
        @Sendable func isOther(_ delivery: Delivery) -> Bool { delivery.exchange.isEmpty && delivery.routingKey == other }
        try await running(consumer) {
            try await eventually("both are consumed") {
                let counts = [try await session.inspect(queue: queue).consumerCount, try await session.inspect(queue: other).consumerCount]
                return counts == [1, 1]
            }
            // Deleted behind its back: consumed again, and the first as well.
            _ = try await session.deleteQueue(other)
            try await eventually("it is there again") { (try? await session.inspect(queue: other).consumerCount) == 1 }
            #expect(try await session.inspect(queue: queue).consumerCount == 1)
            try await Self.fill(session, queue, 0..<20)
            // Two are with the consumer, five wait, the others were dropped; of these one is with the consumer, and one waits.
            var taken = try await Self.take(3, from: consumer)
            #expect(try await session.inspect(queue: queue).messageCount == 5)
            #expect(try await session.inspect(queue: other).messageCount == 1)
            #expect(taken.filter(isOther).count == 1)
            while taken.count < 9 {
                for delivery in taken { consumer.ack(delivery.tag) }
                taken += try await Self.take(1, from: consumer)
            }
            for delivery in taken { consumer.ack(delivery.tag) }
            #expect(taken.filter { !isOther($0) }.map(\.message.body) == [0, 1, 15, 16, 17, 18, 19].map { [$0] })
            #expect(taken.filter(isOther).map(\.message.body) == [[2], [14]])
        }
        try await eventually("the consumers are gone") { try await session.inspect(queue: other).consumerCount == 0 }
        #expect(try await session.inspect(queue: queue).messageCount == 0)
        session.close()
    }

    @Test func rejectedOnesComeAgainOrGoToTheDeadLetters() async throws {
        let configuration = try Broker.configuration()
        let dead = Broker.name("dead")
        let topology = Topology(queues: [
            Queue(dead, arguments: ["x-expires": 60000]),
            Queue(
                queue,
                arguments: ["x-expires": 60000, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead)]
            ),
        ])
        let session = try await AMQPSession(configuration)
        try await session.declare(topology)
        try await Self.fill(session, queue, 0..<6)
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 100, logger: Broker.logger)
        try await running(consumer) {
            let first = try await Self.take(6, from: consumer)
            #expect(first.allSatisfy { !$0.redelivered })
            consumer.reject(first[0].tag, requeue: true)
            consumer.reject(first[1].tag, requeue: false)
            consumer.nack(first[3].tag, multiple: true, requeue: false)  // 2 and 3
            consumer.nack(first[4].tag, requeue: true)
            consumer.ack(first[5].tag)
            consumer.ack(first[5].tag)  // a second word about the same one is ignored
            let again = try await Self.take(2, from: consumer)
            #expect(Set(again.map(\.message.body)) == [[0], [4]])
            #expect(again.allSatisfy { $0.redelivered && $0.tag.epoch == first[0].tag.epoch })
            for delivery in again { consumer.ack(delivery.tag) }
            try await eventually("three dead letters") { try await session.inspect(queue: dead).messageCount == 3 }
            let letter = try #require(try await session.get(queue: dead))
            guard case .array(let deaths) = letter.message.headers["x-death"], case .table(let death) = deaths.first else {
                Issue.record("no x-death header")
                return
            }
            #expect(death["reason"] == "rejected")
        }
        session.close()
    }

    @Test func messagesPassFromExchangeToExchange() async throws {
        let configuration = try Broker.configuration()
        let outer = Broker.name("outer")
        let inner = Broker.name("inner")
        let topology = Topology(
            exchanges: [
                Exchange(outer, kind: .direct, autoDelete: true), Exchange(inner, kind: .fanout, autoDelete: true),
            ],
            queues: [Queue(queue, arguments: ["x-expires": 60000])],
            bindings: [Binding(from: outer, to: .exchange(inner), routingKey: "n1"), Binding(from: inner, to: .queue(queue))]
        )
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger)
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 10, logger: Broker.logger)
        try await running(publisher, consumer) {
            #expect(try await publisher.publish(AMQPMessage(body: [7]), exchange: outer, routingKey: "n1", mandatory: true) == .confirmed)
            let delivery = try #require(try await Self.take(1, from: consumer).first)
            #expect(delivery.exchange == outer && delivery.routingKey == "n1" && delivery.message.body == [7])
            consumer.ack(delivery.tag)
            let astray = try await publisher.publish(AMQPMessage(body: [7]), exchange: outer, routingKey: "n2", mandatory: true)
            #expect(astray == .returned(replyCode: 312, text: "NO_ROUTE"))
        }
    }

    @Test func aDeletedQueueIsDeclaredAgainAndConsumed() async throws {
        let configuration = try Broker.configuration()
        let log = StateLog()
        let consumer = consumer(configuration, log: log)
        let session = try await AMQPSession(configuration)
        let queue = self.queue
        try await running(consumer) {
            try await log.connected()
            try await eventually("consumed") { (try? await session.inspect(queue: queue).consumerCount) == 1 }
            for round in UInt8(0)..<3 {
                let position = log.count
                try await session.deleteQueue(queue)
                // What went with the queue is lost: the owner must hear of it.
                try await log.connected(from: position)
                try await eventually("consumed again") { (try? await session.inspect(queue: queue).consumerCount) == 1 }
                try await Self.fill(session, queue, round..<round + 1)
                let delivery = try #require(try await Self.take(1, from: consumer).first)
                #expect(delivery.message.body == [round])
                consumer.ack(delivery.tag)
            }
        }
        session.close()
    }

    @Test func afterCancellingNothingNewComesAndTheOldCanBeAcked() async throws {
        let configuration = try Broker.configuration()
        let session = try await AMQPSession(configuration)
        try await session.declare(topology)
        try await Self.fill(session, queue, 0..<3)
        let consumer = consumer(configuration)
        let queue = self.queue
        try await running(consumer) {
            let deliveries = try await Self.take(3, from: consumer)
            await consumer.cancelConsuming()
            try await Self.fill(session, queue, 3..<5)
            #expect(try await within(.seconds(5), "the end") { await consumer.nextBatch() == nil })
            for delivery in deliveries { consumer.ack(delivery.tag) }
            consumer.reject(deliveries[0].tag, requeue: true)
        }
        try await eventually("only the new ones are left") { try await session.inspect(queue: queue).messageCount == 2 }
        session.close()
    }

    @Test func anExclusiveConsumerKeepsOthersOut() async throws {
        let configuration = try Broker.configuration()
        let log = StateLog()
        let first = Consumer(
            configuration: configuration,
            topology: topology,
            queue: queue,
            prefetch: 1,
            exclusive: true,
            logger: Broker.logger
        )
        let second = Consumer(
            configuration: configuration,
            topology: topology,
            queue: queue,
            prefetch: 1,
            exclusive: true,
            logger: Broker.logger
        ) { log.add($0) }
        let session = try await AMQPSession(configuration)
        let queue = self.queue
        let start = Task { try await first.run() }
        try await eventually("consumed") { (try? await session.inspect(queue: queue).consumerCount) == 1 }
        try await running(second) {
            let error = try await log.disconnected()
            #expect(error.code == .channelClosed && error.replyCode == 403)
            start.cancel()
            try await log.connected()
        }
        try await start.value
        session.close()
    }

    @Test func waitingForABatchEndsWithTheTask() async throws {
        let consumer = consumer(try Broker.configuration())
        try await running(consumer) {
            let waiting = Task { await consumer.nextBatch() == nil }
            waiting.cancel()
            let isNil = try await within(.seconds(5), "nil") { await waiting.value }
            #expect(isNil)
        }
        // And with the consumer.
        #expect(await consumer.nextBatch() == nil)
    }
}
