/// A rule that messages of one exchange go to a queue, or on to another exchange (AMQP `queue.bind`, RabbitMQ's `exchange.bind`).
public struct Binding: Sendable, Hashable {
    /// Where the messages go.
    public enum Destination: Sendable, Hashable {
        /// To the queue of this name.
        case queue(String)
        /// To the exchange of this name.
        case exchange(String)
    }

    /// The name of the exchange that the messages come from.
    public var source: String
    /// Where they go.
    public var destination: Destination
    /// At most 255 bytes; its meaning depends on the kind of the source.
    public var routingKey: String
    /// For headers exchanges.
    public var arguments: [String: AMQPValue]

    /// A binding.
    public init(from source: String, to destination: Destination, routingKey: String = "", arguments: [String: AMQPValue] = [:]) {
        self.source = source
        self.destination = destination
        self.routingKey = routingKey
        self.arguments = arguments
    }
}
