import SparqAMQP
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct PublishTests {
    private let queue = Broker.name("publish")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }

    private func publisher(_ configuration: AMQPConfiguration, window: Int = 256, log: StateLog = StateLog()) -> Publisher {
        Publisher(configuration: configuration, topology: topology, window: window, logger: Broker.logger) { log.add($0) }
    }

    @Test func everyMessageIsConfirmedAndArrivesInOrder() async throws {
        let configuration = try Broker.configuration()
        let publisher = publisher(configuration, window: 16)
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 100, logger: Broker.logger)
        let queue = self.queue
        try await running(publisher, consumer) {
            for index in 0..<500 {
                let message = AMQPMessage(body: Array("\(index)".utf8))
                let outcome = try await publisher.publish(message, exchange: "", routingKey: queue, timeout: .seconds(10))
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

    @Test func everyReturnBelongsToItsOwnMessage() async throws {
        let publisher = publisher(try Broker.configuration())
        let queue = self.queue
        try await running(publisher) {
            let outcomes = try await withThrowingTaskGroup(of: (Int, PublishOutcome).self) { group in
                for index in 0..<200 {
                    group.addTask {
                        // The same address for all; only the time to live tells them apart from the outside.
                        let key = index % 3 == 0 ? "\(queue).nowhere" : queue
                        return (index, try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: key, mandatory: true))
                    }
                }
                return try await group.reduce(into: [Int: PublishOutcome]()) { $0[$1.0] = $1.1 }
            }
            for (index, outcome) in outcomes {
                #expect(outcome == (index % 3 == 0 ? .returned(replyCode: 312, text: "NO_ROUTE") : .confirmed))
            }
            #expect(outcomes.count == 200)
            let unrouted = try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: "\(queue).nowhere")
            #expect(unrouted == .confirmed)
        }
    }

    @Test func aMissingExchangeFailsItsOwnMessagesOnly() async throws {
        let log = StateLog()
        let configuration = try Broker.configuration()
        let publisher = publisher(configuration, log: log)
        let queue = self.queue
        try await running(publisher) {
            let results = await withTaskGroup(of: (Int, Result<PublishOutcome, AMQPError>).self) { group in
                for index in 0..<120 {
                    group.addTask {
                        do throws(AMQPError) {
                            let exchange = index % 40 == 7 ? "\(queue).missing" : ""
                            let message = AMQPMessage(body: Array("\(index)".utf8))
                            return (index, .success(try await publisher.publish(message, exchange: exchange, routingKey: queue)))
                        } catch { return (index, .failure(error)) }
                    }
                }
                return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            for (index, result) in results {
                switch result {
                case .success(let outcome): #expect(outcome == .confirmed && index % 40 != 7)
                case .failure(let error):
                    #expect(error.code == .channelClosed && error.replyCode == 404 && index % 40 == 7, "\(error)")
                }
            }
            #expect(results.count == 120)
            let session = try await AMQPSession(configuration)
            #expect(try await session.inspect(queue: queue).messageCount >= 117)
            session.close()
            // Only the channel was opened anew.
            #expect(log.all.filter { $0 == .connected }.count == 1)
        }
    }

    @Test func noMoreThanTheWindowIsUnconfirmed() async throws {
        let configuration = try Broker.configuration()
        let (proxy, through) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = publisher(through, window: 8, log: log)
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            proxy.freeze(.toClient)
            try await withThrowingTaskGroup(of: PublishOutcome.self) { group in
                for _ in 0..<20 {
                    group.addTask { try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue) }
                }
                let session = try await AMQPSession(configuration)
                try await eventually("the window is full") { try await session.inspect(queue: queue).messageCount == 8 }
                try await Task.sleep(for: .milliseconds(200))
                #expect(try await session.inspect(queue: queue).messageCount == 8)
                proxy.freeze([])
                for try await outcome in group { #expect(outcome == .confirmed) }
                #expect(try await session.inspect(queue: queue).messageCount == 20)
                session.close()
            }
        }
    }

    @Test func aRefusedMessageIsAnError() async throws {
        let configuration = try Broker.configuration()
        let full = Queue(queue, arguments: ["x-expires": 60000, "x-max-length": 1, "x-overflow": "reject-publish"])
        let publisher = Publisher(configuration: configuration, topology: Topology(queues: [full]), logger: Broker.logger)
        let queue = self.queue
        try await running(publisher) {
            _ = try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue)
            // The queue notices that it is full a moment later.
            try await eventually("a publish is refused") {
                do throws(AMQPError) {
                    _ = try await publisher.publish(AMQPMessage(body: [2]), exchange: "", routingKey: queue)
                    return false
                } catch {
                    #expect(error.code == .nacked)
                    return true
                }
            }
        }
    }

    @Test func bodiesLargerThanAFrameAndAllPropertiesArriveUnchanged() async throws {
        let configuration = try Broker.configuration()
        let publisher = publisher(configuration)
        let queue = self.queue
        var headers: [String: AMQPValue] = [
            "null": .null, "bool": true, "int": -5, "uint": .uint64(.max), "double": .double(1.5), "text": "žluťoučký",
            "bytes": .bytes([0, 255]),
            "time": .timestamp(1_700_000_000), "array": .array([1, "two", .array([])]), "table": .table(["inner": .table(["x": 1])]),
            "decimal": .decimal(scale: 2, unscaled: 314),
        ]
        headers["empty"] = .string("")
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let message = AMQPMessage(
            body: body,
            contentType: "application/x-ndjson",
            contentEncoding: "identity",
            headers: headers,
            persistent: true,
            priority: 3,
            correlationID: "c",
            replyTo: "r",
            expiration: "60000",
            messageID: "m",
            timestamp: 1_700_000_001,
            type: "t",
            userID: nil,
            appID: "a"
        )
        try await running(publisher) {
            _ = try await publisher.publish(message, exchange: "", routingKey: queue)
            _ = try await publisher.publish(AMQPMessage(body: [], persistent: false), exchange: "", routingKey: queue)
            let session = try await AMQPSession(configuration)
            let first = try #require(try await session.get(queue: queue))
            #expect(first.message == message)
            #expect(first.routingKey == queue && first.exchange == "" && !first.redelivered)
            try await session.ack(first.tag)
            let second = try #require(try await session.get(queue: queue))
            #expect(second.message == AMQPMessage(body: [], persistent: false))
            try await session.ack(second.tag)
            #expect(try await session.get(queue: queue) == nil)
            session.close()
        }
    }

    @Test func waitingEndsByTimeoutAndByCancellation() async throws {
        var configuration = try Broker.configuration()
        configuration.hosts = [AMQPHost("127.0.0.1", port: try Ports.free())]
        let publisher = publisher(configuration)
        let queue = self.queue
        try await running(publisher) {
            let late = await #expect(throws: AMQPError.self) {
                try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue, timeout: .milliseconds(150))
            }
            #expect(late?.code == .timeout)
            let waiting = Task { () async -> AMQPError? in
                do throws(AMQPError) {
                    _ = try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue)
                    return nil
                } catch { return error }
            }
            waiting.cancel()
            let code = try await within(.seconds(5), "cancelled publish returns") { await waiting.value?.code }
            #expect(code == .cancelled)
        }
    }

    @Test func whatCannotBeEncodedIsRefusedAndHarmsNobody() async throws {
        let log = StateLog()
        let publisher = publisher(try Broker.configuration(), log: log)
        let queue = self.queue
        try await running(publisher) {
            let error = await #expect(throws: AMQPError.self) {
                try await publisher.publish(AMQPMessage(body: []), exchange: "", routingKey: String(repeating: "k", count: 256))
            }
            #expect(error?.code == .invalidArgument)
            // Refused by the broker rather than by us: a time to live that is no number.
            let refused = await #expect(throws: AMQPError.self) {
                try await publisher.publish(AMQPMessage(body: [], expiration: "soon"), exchange: "", routingKey: queue)
            }
            #expect(refused?.replyCode == 406)
            let outcome = try await publisher.publish(AMQPMessage(body: []), exchange: "", routingKey: queue)
            #expect(outcome == .confirmed)
        }
    }
}
