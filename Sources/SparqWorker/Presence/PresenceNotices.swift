import SparqAMQP
import FaultLog
import Logging
import SparqPostgres
import SparqStore
import SparqWire

/// Passes on whose presence may have changed, to the lane that runs the handler: what it does must not hold up what nodes ask, leases above all.
struct PresenceNotices: Sendable {
    /// Users of one message.
    private static let limit = 500

    /// So long a batch stays open for it: what waits to be acked keeps leases from being taken.
    private static let patience: Duration = .seconds(5)

    let publisher: ConfirmedPublisher
    let names: BrokerNames
    /// Where the broker does not take it, `losses` keeps it.
    let pool: PostgresPool
    private let untaken: FaultLog

    init(publisher: ConfirmedPublisher, names: BrokerNames, pool: PostgresPool, logger: Logger) {
        self.publisher = publisher
        self.names = names
        self.pool = pool
        untaken = FaultLog(logger)
    }

    /// Publishes `$presence`. Each of the batches has a part open until the broker has confirmed all of it, or the table has it.
    func publish(_ users: [String], from node: String, of batches: [InboundBatch]) {
        guard !users.isEmpty else { return }
        for batch in batches { batch.begin() }
        Task.immediate(executorPreference: publisher.executor) {
            var isDone = await isConfirmed(Self.messages(users, from: node))
            if !isDone, !batches.contains(where: \.isLost) { isDone = await keep(users, node) }
            for batch in batches { if isDone { batch.finish() } else { batch.abandon() } }
        }
    }

    /// Within the time.
    private func isConfirmed(_ messages: [AMQPMessage]) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask(executorPreference: publisher.executor) {
                for message in messages {
                    // Where no queue is bound nobody serves the lane, and so nobody wants to know.
                    let lane = LaneMap.defaultLane
                    let outcome = await publisher.publish(message, exchange: names.inbound, routingKey: lane, mandatory: true)
                    if outcome == .ended { return false }
                }
                return true
            }
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func keep(_ users: [String], _ node: String) async -> Bool {
        untaken.occurred(
            FaultLog.single,
            "the broker does not take whose presence may have changed; it is told later",
            metadata: ["users": "\(users.count)"]
        )
        return (try? await LossStore.keep(users, of: node, pool)) != nil
    }

    private static func messages(_ users: [String], from node: String) -> [AMQPMessage] {
        stride(from: 0, to: users.count, by: limit).map { start in
            let request = PresenceRequest(users: Array(users[start..<min(start + limit, users.count)]))
            let envelope = Envelope(node: node, at: 0, request)
            return AMQPMessage(body: envelope.line, contentType: NDJSON.contentType)
        }
    }
}
