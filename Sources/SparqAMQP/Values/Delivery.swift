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

/// Names one delivery of a ``Consumer``.
///
/// The broker numbers deliveries from 1 on every channel, so a number alone could settle a stranger after a reconnect. The epoch says
/// which channel it belongs to; settling a tag of an earlier epoch does nothing, since the broker has put that message back already.
public struct DeliveryTag: Sendable, Hashable {
    /// Which channel of the consumer, counted from 1.
    public let epoch: UInt64
    /// The broker's number on that channel, from 1.
    public let number: UInt64

    /// A tag, for tests of code that handles deliveries.
    public init(epoch: UInt64, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }
}
