import SparqAMQP
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct ShutdownTests {
    private let queue = Broker.name("shutdown")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }

    private static func outcome(_ publisher: Publisher, _ queue: String, _ body: [UInt8] = [1]) async -> Result<PublishOutcome, AMQPError> {
        do throws(AMQPError) {
            return .success(try await publisher.publish(AMQPMessage(body: body), exchange: "", routingKey: queue))
        } catch { return .failure(error) }
    }

    @Test func gracefulShutdownWaitsForConfirms() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, topology: topology, logger: Broker.logger) { log.add($0) }
        let group = ServiceGroup(services: [publisher], logger: Broker.logger)
        let running = Task { try await group.run() }
        try await log.connected()
        proxy.freeze(.toClient)
        let queue = self.queue
        let waiting = Task { await Self.outcome(publisher, queue) }
        let session = try await AMQPSession(try Broker.configuration())
        try await eventually("it is published") { try await session.inspect(queue: queue).messageCount == 1 }
        await group.triggerGracefulShutdown()
        try await eventually("nothing new is taken") {
            do throws(AMQPError) {
                _ = try await publisher.publish(AMQPMessage(body: [2]), exchange: "", routingKey: queue, timeout: .milliseconds(50))
                return false
            } catch { return error.code == .closed }
        }
        proxy.freeze([])
        #expect(await waiting.value == .success(.confirmed))
        try await within(.seconds(5), "the end") { try await running.value }
        #expect(log.all.last == .closed)
        session.close()
    }

    @Test func gracefulShutdownEndsAtItsLimit() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(
            configuration: configuration,
            topology: topology,
            drainLimit: .milliseconds(300),
            logger: Broker.logger
        ) { log.add($0) }
        let group = ServiceGroup(services: [publisher], logger: Broker.logger)
        let running = Task { try await group.run() }
        try await log.connected()
        proxy.freeze(.toClient)
        let queue = self.queue
        let waiting = Task { await Self.outcome(publisher, queue) }
        let session = try await AMQPSession(try Broker.configuration())
        try await eventually("it is published") { try await session.inspect(queue: queue).messageCount == 1 }
        await group.triggerGracefulShutdown()
        try await within(.seconds(5), "the end") { try await running.value }
        guard case .failure(let error) = await waiting.value else {
            Issue.record("confirmed without a confirm")
            return
        }
        #expect(error.code == .closed)
        session.close()
    }

    /// The broker reads nothing, more is written than the kernel holds: the connection's thread is stuck in a write.
    @Test(arguments: [true, false])
    func aStalledWriteHoldsUpNobody(graceful: Bool) async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let publisher = Publisher(
            configuration: configuration,
            topology: topology,
            drainLimit: .milliseconds(300),
            logger: Broker.logger
        ) { log.add($0) }
        let group = ServiceGroup(services: [publisher], logger: Broker.logger)
        let running = Task { try await group.run() }
        try await log.connected()
        proxy.freeze(.both)
        let queue = self.queue
        let body = [UInt8](repeating: 1, count: 24_000_000)
        let stuck = (0..<2).map { _ in Task { await Self.outcome(publisher, queue, body) } }
        let timed = try await within(.seconds(5), "the timeout") { () async -> AMQPError.Code? in
            do throws(AMQPError) {
                _ = try await publisher.publish(AMQPMessage(body: [1]), exchange: "", routingKey: queue, timeout: .milliseconds(300))
                return nil
            } catch { return error.code }
        }
        #expect(timed == .timeout)
        if graceful { await group.triggerGracefulShutdown() } else { running.cancel() }
        _ = try await within(.seconds(6), "the end") { try? await running.value }
        for task in stuck {
            guard case .failure(let error) = try await within(.seconds(2), "resumed", { await task.value }) else {
                Issue.record("confirmed without a confirm")
                return
            }
            #expect(error.code == .closed)
        }
        #expect(log.all.last == .closed)
    }

    @Test func cancellationResumesEverybody() async throws {
        var configuration = try Broker.configuration()
        configuration.hosts = [AMQPHost("127.0.0.1", port: try Ports.free())]
        let publisher = Publisher(configuration: configuration, logger: Broker.logger)
        let consumer = Consumer(configuration: configuration, queue: queue, prefetch: 1, logger: Broker.logger)
        let queue = self.queue
        let publishing = Task { await Self.outcome(publisher, queue) }
        let consuming = Task { await consumer.nextBatch() == nil }
        try await running(publisher, consumer) { try await Task.sleep(for: .milliseconds(50)) }
        guard case .failure(let error) = await publishing.value else {
            Issue.record("published to nobody")
            return
        }
        #expect(error.code == .closed)
        #expect(await consuming.value)
        guard case .failure(let late) = await Self.outcome(publisher, queue) else {
            Issue.record("published to nobody")
            return
        }
        #expect(late.code == .closed)
        await #expect(throws: AMQPError.self) { try await publisher.run() }
    }

    @Test func aConsumersShutdownLetsWorkBeSettled() async throws {
        let configuration = try Broker.configuration()
        let session = try await AMQPSession(configuration)
        try await session.declare(topology)
        for body in UInt8(0)..<2 { _ = try await session.publish(AMQPMessage(body: [body]), exchange: "", routingKey: queue) }
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 10, logger: Broker.logger)
        let group = ServiceGroup(services: [consumer], logger: Broker.logger)
        let running = Task { try await group.run() }
        var deliveries: [Delivery] = []
        while deliveries.count < 2, let batch = await consumer.nextBatch() { deliveries += batch }
        await group.triggerGracefulShutdown()
        #expect(await consumer.nextBatch() == nil)
        let isOver = Task { try await running.value }
        try await Task.sleep(for: .milliseconds(100))
        for delivery in deliveries { consumer.ack(delivery.tag) }
        // Well before the drain limit of 10 s: everything is settled.
        try await within(.seconds(5), "the end") { try await isOver.value }
        #expect(try await session.inspect(queue: queue).messageCount == 0)
        session.close()
    }
}
