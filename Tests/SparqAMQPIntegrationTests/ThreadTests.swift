import SparqAMQP
import Glibc
import ServiceLifecycle
import Synchronization
import Testing

/// What the connection's thread does beside the connection's work.
@Suite(.timeLimit(.minutes(2))) struct ThreadTests {
    private let queue = Broker.name("thread")
    private var topology: Topology { Topology(queues: [Queue(queue, arguments: ["x-expires": 60000])]) }

    private final class Number: Sendable {
        private let number = Mutex<UInt>(0)
        var value: UInt { number.withLock { $0 } }
        func set(_ value: UInt) { number.withLock { $0 = value } }
        func add() { number.withLock { $0 += 1 } }
    }

    private nonisolated func thread() async -> UInt { UInt(pthread_self()) }

    @Test func tasksRunOnTheThreadWhileItIsConnected() async throws {
        let log = StateLog()
        let own = Number()
        let publisher = Publisher(configuration: try Broker.configuration(), topology: topology, logger: Broker.logger) { state in
            own.set(UInt(pthread_self()))
            log.add(state)
        }
        let queue = self.queue
        try await running(publisher) {
            try await log.connected()
            // From the report until it serves, the thread has a little way to go.
            try await eventually("a task runs on the connection's thread") {
                await withTaskExecutorPreference(publisher.executor) { await thread() } == own.value
            }
            try await within(.seconds(10), "confirms") {
                try await withTaskExecutorPreference(publisher.executor) {
                    for number in UInt8(0)..<100 {
                        let outcome = try await publisher.publish(AMQPMessage(body: [number]), exchange: "", routingKey: queue)
                        #expect(outcome == .confirmed)
                        #expect(await thread() == own.value)
                    }
                }
            }
        }
        // The connection is gone, the tasks are not.
        let after = await withTaskExecutorPreference(publisher.executor) { await thread() }
        #expect(after != 0)
    }

    @Test func tasksGoOnWithoutABroker() async throws {
        let (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        let log = StateLog()
        let consumer = Consumer(configuration: configuration, topology: topology, queue: queue, prefetch: 4, logger: Broker.logger) {
            log.add($0)
        }
        let steps = Number()
        let before = await withTaskExecutorPreference(consumer.executor) { await thread() }
        #expect(before != 0)
        try await running(consumer) {
            try await log.connected()
            let walker = Task(executorPreference: consumer.executor) {
                while !Task.isCancelled {
                    steps.add()
                    await Task.yield()
                    try? await Task.sleep(for: .microseconds(100))
                }
            }
            defer { walker.cancel() }
            for _ in 0..<5 {
                let reached = steps.value
                try await eventually("steps with a broker") { steps.value > reached + 20 }
                let count = log.count
                proxy.refuse(true)
                proxy.cut()
                _ = try await log.disconnected(from: count)
                let lost = steps.value
                try await eventually("steps without one") { steps.value > lost + 20 }
                let gone = log.count
                proxy.refuse(false)
                try await log.connected(from: gone)
            }
        }
    }
}
