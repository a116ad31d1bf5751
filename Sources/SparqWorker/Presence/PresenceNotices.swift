import AMQP
import Logging
import SparqProtocol

/// Passes on whose presence may have changed, to the pool that runs the handler: what it does must not hold up what nodes ask, leases above all.
struct PresenceNotices: Sendable {
    /// Users of one message.
    private static let limit = 500

    let broker: Broker
    let names: BrokerNames

    /// Publishes `$presence`. Each of the batches has a part open until the broker has confirmed all of it.
    func publish(_ users: [String], from node: String, of batches: [InboundBatch]) {
        guard !users.isEmpty else { return }
        for batch in batches { batch.begin() }
        Task.immediate(executorPreference: broker.publisher.executor) {
            var isDone = true
            for message in Self.messages(users, from: node) where isDone {
                // Where no queue is bound nobody serves the pool, and so nobody wants to know.
                isDone = await broker.publish(message, exchange: names.inbound, routingKey: PoolMap.defaultPool, mandatory: true) != .ended
            }
            for batch in batches { if isDone { batch.finish() } else { batch.abandon() } }
        }
    }

    private static func messages(_ users: [String], from node: String) -> [AMQPMessage] {
        stride(from: 0, to: users.count, by: limit).map { start in
            var fields = JSONWriter(reservingCapacity: 64)
            fields.raw("{\"type\":")
            fields.string(SystemType.presence)
            fields.raw(",\"users\":")
            fields.array(Array(users[start..<min(start + limit, users.count)])) { user, writer in writer.string(user) }
            fields.raw("}")
            let envelope = Envelope(
                node: node,
                connection: nil,
                ordinal: 0,
                user: nil,
                receivedAt: 0,
                type: SystemType.presence,
                id: nil,
                message: fields.bytes[...]
            )
            return AMQPMessage(body: envelope.line, contentType: NDJSON.contentType)
        }
    }
}
