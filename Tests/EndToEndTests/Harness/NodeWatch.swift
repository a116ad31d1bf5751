import SparqAMQP
import SparqWire

/// A queue of one's own at a node's exchange: all that travels to the node.
struct NodeWatch {
    private let session: AMQPSession
    private let queue = TestEnvironment.random("watch-")

    init(_ front: Front, prefix: String) async throws {
        session = try await AMQPSession(try AMQPConfiguration(url: try TestEnvironment.amqpURL()))
        try await session.declare(Queue(queue, durable: true, arguments: ["x-expires": 60_000]))
        let exchange = BrokerNames(prefix: prefix).node(front.id)
        // The node's exchange takes what is for the node alone and what is for everyone, whatever its kind and key.
        for key in ["", front.id, "#"] { try await session.bind(Binding(from: exchange, to: .queue(queue), routingKey: key)) }
    }

    /// All that came, up to the message with `marker`.
    func seen(_ marker: String) async throws -> String {
        var text = ""
        try await eventually("the node's exchange saw the marker") {
            while let delivery = try await session.get(queue: queue) {
                text += String(decoding: delivery.message.body, as: UTF8.self)
                try await session.ack(delivery.tag)
            }
            return text.contains(marker)
        }
        return text
    }

    func end() async throws {
        try await session.deleteQueue(queue)
        session.close()
    }
}
