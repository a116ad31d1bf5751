import SparqAMQP
import SparqWire

/// What waits for the workers of the default lane.
enum WorkQueue {
    /// All of it, which nobody may take meanwhile: what is taken and not acknowledged goes back with the session.
    static func envelopes(of stack: Stack) async throws -> [Envelope] {
        let session = try await AMQPSession(try AMQPConfiguration(url: await stack.amqpURL))
        defer { session.close() }
        var envelopes: [Envelope] = []
        while let delivery = try await session.get(queue: BrokerNames(prefix: stack.prefix).work(lane: LaneMap.defaultLane)) {
            envelopes += try NDJSON.lines(delivery.message.body).map { try Envelope(line: $0) }
        }
        return envelopes
    }
}
