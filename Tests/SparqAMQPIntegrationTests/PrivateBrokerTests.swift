import SparqAMQP
import ServiceLifecycle
import Testing

/// Tests that kill, block or encrypt a broker of their own.
@Suite(.serialized, .timeLimit(.minutes(5))) struct PrivateBrokerTests {
    @Test func publisherAndConsumerSurviveTheBrokersDeath() async throws {
        try await PrivateBroker.with { broker in
            let queue = Broker.name("death")
            let topology = Topology(queues: [Queue(queue, arguments: ["x-queue-type": "quorum"])])
            let publishing = StateLog()
            let consuming = StateLog()
            let publisher = Publisher(configuration: broker.configuration, topology: topology, logger: Broker.logger) { publishing.add($0) }
            let consumer = Consumer(
                configuration: broker.configuration,
                topology: topology,
                queue: queue,
                prefetch: 50,
                logger: Broker.logger
            ) {
                consuming.add($0)
            }
            let journal = Journal()
            try await running(publisher, consumer) {
                let consumption = Task {
                    while let batch = await consumer.nextBatch() {
                        for delivery in batch {
                            let number = Int(String(decoding: delivery.message.body, as: UTF8.self)) ?? -1
                            journal.consume(number)
                            consumer.ack(delivery.tag)
                        }
                    }
                }
                let publication = Task {
                    var number = 0
                    while !journal.isOver {
                        let message = AMQPMessage(body: Array("\(number)".utf8))
                        do throws(AMQPError) {
                            let outcome = try await publisher.publish(message, exchange: "", routingKey: queue)
                            #expect(outcome == .confirmed)
                        } catch {
                            // A quorum queue without a leader, at the broker's start, refuses. Anything else ends the test.
                            guard error.code == .nacked else { throw error }
                            continue
                        }
                        journal.confirm(number)
                        number += 1
                    }
                }
                try await publishing.connected()
                try await broker.hasRegistered(quorumQueue: queue)
                for _ in 0..<2 {
                    let count = journal.confirmedCount
                    try await eventually("publishing goes on", within: .seconds(60)) { journal.confirmedCount > count + 100 }
                    let positions = (publishing.count, consuming.count)
                    try await broker.kill()
                    try await publishing.disconnected(from: positions.0)
                    try await consuming.disconnected(from: positions.1)
                    try await broker.start()
                    try await publishing.connected(from: positions.0, within: .seconds(60))
                    try await consuming.connected(from: positions.1, within: .seconds(60))
                }
                let count = journal.confirmedCount
                try await eventually("publishing goes on", within: .seconds(60)) { journal.confirmedCount > count + 100 }
                journal.finish()
                try await publication.value
                try await eventually("everything confirmed is consumed", within: .seconds(30)) {
                    journal.isComplete
                }
                consumption.cancel()
            }
        }
    }

    @Test func aMemoryAlarmBlocksPublishersForAWhileOnly() async throws {
        try await PrivateBroker.with { broker in
            let queue = Broker.name("alarm")
            let topology = Topology(queues: [Queue(queue)])
            let log = StateLog()
            var configuration = broker.configuration
            configuration.heartbeat = .seconds(1)
            let publisher = Publisher(configuration: configuration, topology: topology, window: 4096, logger: Broker.logger) { log.add($0) }
            try await running(publisher) {
                try await log.connected()
                try await broker.control("set_vm_memory_high_watermark", "absolute", "1")
                // The broker blocks a connection when it next publishes.
                // 24 MB, more than the kernels hold: what is on its way stays there.
                let count = 1500
                let first = Task {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<count {
                            group.addTask {
                                let message = AMQPMessage(body: [UInt8](repeating: 1, count: 16_000))
                                let outcome = try await publisher.publish(message, exchange: "", routingKey: queue)
                                #expect(outcome == .confirmed)
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                let state = try await log.first { if case .blocked = $0 { true } else { false } }
                #expect(state == .blocked(reason: "low on memory"))
                let late = await #expect(throws: AMQPError.self) {
                    try await publisher.publish(AMQPMessage(body: [2]), exchange: "", routingKey: queue, timeout: .milliseconds(300))
                }
                #expect(late?.code == .timeout)
                // The broker's heartbeats keep the blocked connection alive; ours do not get through.
                try await Task.sleep(for: .seconds(8))
                #expect(try Ports.unread(by: broker.port) > 0)
                #expect(log.all.filter { $0 == .connected }.count == 1)
                let position = log.count
                try await broker.control("set_vm_memory_high_watermark", "absolute", "1GB")
                try await log.connected(from: position)
                try await within(.seconds(30), "all are confirmed") { try await first.value }
                #expect(try await publisher.publish(AMQPMessage(body: [3]), exchange: "", routingKey: queue) == .confirmed)
                let session = try await AMQPSession(broker.configuration)
                // The one that nobody waited for any more was not sent.
                #expect(try await session.inspect(queue: queue).messageCount == count + 1)
                session.close()
            }
        }
    }

    @Test func tlsChecksAuthorityAndHostname() async throws {
        try await PrivateBroker.with { broker in
            let queue = Broker.name("tls")
            let url = "amqps://guest:guest@localhost:\(broker.tlsPort)"
            let trusted = try AMQPConfiguration(url: "\(url)?cacertfile=\(broker.authorityFile)")
            let topology = Topology(queues: [Queue(queue)])
            let publisher = Publisher(configuration: trusted, topology: topology, logger: Broker.logger)
            let consumer = Consumer(configuration: trusted, topology: topology, queue: queue, prefetch: 100, logger: Broker.logger)
            try await running(publisher, consumer) {
                let body = [UInt8](repeating: 7, count: 500_000)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 {
                        group.addTask { _ = try await publisher.publish(AMQPMessage(body: body), exchange: "", routingKey: queue) }
                    }
                    try await group.waitForAll()
                }
                try await within(.seconds(20), "all arrive") {
                    var count = 0
                    while count < 20, let batch = await consumer.nextBatch() {
                        for delivery in batch {
                            #expect(delivery.message.body == body)
                            consumer.ack(delivery.tag)
                        }
                        count += batch.count
                    }
                }
            }
            func refusal(_ configuration: AMQPConfiguration) async -> AMQPError.Code? {
                do throws(AMQPError) {
                    try await AMQPSession(configuration).close()
                    return nil
                } catch { return error.code }
            }
            #expect(await refusal(try AMQPConfiguration(url: url)) == .tlsFailed, "an authority that nobody trusts")
            var elsewhere = trusted
            elsewhere.hosts = [AMQPHost("127.0.0.1", port: broker.tlsPort)]
            #expect(await refusal(elsewhere) == .tlsFailed, "a certificate for another host")
            elsewhere.tls?.verifyHostname = false
            #expect(await refusal(elsewhere) == nil)
            #expect(await refusal(try AMQPConfiguration(url: "\(url)?verify=verify_none")) == nil)
            #expect(await refusal(try AMQPConfiguration(url: "\(url)?cacertfile=/nowhere.pem")) == .tlsFailed)
        }
    }
}
