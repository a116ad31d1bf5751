import AMQP
import ServiceLifecycle
import Testing

@Suite struct PublishTests {
    @Test func everyMessageIsConfirmedAndArrivesInOrder() async throws {
        let configuration = try Broker.configuration()
        let queue = Broker.name("order")
        let topology = Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])])
        let publisher = Publisher(configuration: configuration, topology: topology, window: 16, logger: Broker.logger)
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 100, logger: Broker.logger)
        try await running(publisher, consumer) {
            // Calls made one after the other from one task, without waiting for outcomes.
            for index in 0..<500 {
                let outcome = try await publisher.publish(
                    AMQPMessage(body: Array("\(index)".utf8)),
                    exchange: "",
                    routingKey: queue,
                    timeout: .seconds(10)
                )
                #expect(outcome == .confirmed)
            }
            var seen: [Int] = []
            while seen.count < 500, let batch = await consumer.nextBatch() {
                for delivery in batch { seen.append(Int(String(decoding: delivery.message.body, as: UTF8.self)) ?? -1) }
                if let last = batch.last { consumer.ack(last.tag, multiple: true) }
            }
            #expect(seen == Array(0..<500))
        }
    }
}
