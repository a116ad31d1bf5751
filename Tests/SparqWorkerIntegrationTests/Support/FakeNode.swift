import SparqAMQP
import Logging
import SparqWire
import Synchronization

/// A front as a worker sees it: an exchange and a queue, and a log of what came.
final class FakeNode: Sendable {
    struct Timeout: Error, CustomStringConvertible {
        var description: String
    }

    private struct Waiter {
        var id: Int
        var condition: @Sendable ([SparqWire.Delivery]) -> Bool
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var deliveries: [SparqWire.Delivery] = []
        var waiters: [Waiter] = []
        var nextID = 0
    }

    let id: String
    private let consumer: Consumer
    private let state = Mutex(State())
    private let tasks = Mutex<[Task<Void, Never>]>([])

    init(id: String, names: BrokerNames, amqp: AMQPConfiguration, session: AMQPSession) async throws {
        self.id = id
        let topology = Topology(
            exchanges: [Exchange(names.delivery, kind: .direct), Exchange(names.node(id), kind: .fanout)],
            queues: [Queue(names.node(id), arguments: ["x-expires": 600_000])],
            bindings: [
                Binding(from: names.delivery, to: .exchange(names.node(id)), routingKey: id),
                Binding(from: names.node(id), to: .queue(names.node(id))),
            ]
        )
        try await session.declare(topology)
        consumer = Consumer(
            configuration: amqp,
            topology: topology,
            queue: names.node(id),
            prefetch: 100,
            logger: Logger(label: "node") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    func start() {
        let consumer = consumer
        tasks.withLock {
            $0 = [
                Task.detached { try? await consumer.run() },
                Task.detached { [self] in
                    while let batch = await consumer.nextBatch() {
                        for delivery in batch {
                            add(NDJSON.lines(delivery.message.body).compactMap { try? SparqWire.Delivery(line: $0) })
                            consumer.ack(delivery.tag)
                        }
                    }
                },
            ]
        }
    }

    func stop() { for task in tasks.withLock({ $0 }) { task.cancel() } }

    var deliveries: [SparqWire.Delivery] { state.withLock { $0.deliveries } }
    var dones: [Done] { deliveries.dones }
    var events: [Event] { deliveries.events }
    var pages: [Page] { deliveries.pages }
    var leases: [LeaseAnswer] { deliveries.leases }

    /// Waits until what came fulfils a condition.
    func wait(
        for what: String,
        seconds: Int = 30,
        _ condition: @escaping @Sendable ([SparqWire.Delivery]) -> Bool
    ) async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let alarm = Task {
            try await Task.sleep(for: .seconds(seconds))
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
        let isFulfilled = await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if condition(state.deliveries) { return true }
                state.waiters.append(Waiter(id: id, condition: condition, continuation: continuation))
                return false
            }
            if isReady { continuation.resume(returning: true) }
        }
        alarm.cancel()
        guard isFulfilled else { throw Timeout(description: "\(what) did not come; \(deliveries.count) lines came") }
    }

    func wait(dones count: Int, seconds: Int = 30) async throws {
        try await wait(for: "\(count) dones", seconds: seconds) { $0.dones.count >= count }
    }

    private func add(_ lines: [SparqWire.Delivery]) {
        let ready = state.withLock { state in
            state.deliveries += lines
            let deliveries = state.deliveries
            let ready = state.waiters.filter { $0.condition(deliveries) }
            state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
            return ready
        }
        for waiter in ready { waiter.continuation.resume(returning: true) }
    }
}

extension [SparqWire.Delivery] {
    var dones: [Done] { compactMap { if case .done(let done) = $0 { done } else { nil } } }
    var events: [Event] { compactMap { if case .event(let event) = $0 { event } else { nil } } }
    var pages: [Page] { compactMap { if case .page(let page) = $0 { page } else { nil } } }
    var leases: [LeaseAnswer] { compactMap { if case .lease(let answer) = $0 { answer } else { nil } } }
}
