/// One message as a ``Consumer`` got it (AMQP `basic.deliver`). Settle it with its ``tag``.
public struct Delivery: Sendable {
    /// What to hand to ``Consumer/ack(_:multiple:)`` and its companions.
    public let tag: DeliveryTag
    /// Body and properties.
    public let message: AMQPMessage
    /// The exchange that it was published to.
    public let exchange: String
    /// The key that it was published with.
    public let routingKey: String
    /// Whether the broker delivered it before, to anybody.
    public let redelivered: Bool

    /// A delivery, for tests of code that handles them.
    public init(tag: DeliveryTag, message: AMQPMessage, exchange: String, routingKey: String, redelivered: Bool) {
        self.tag = tag
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
    }
}
