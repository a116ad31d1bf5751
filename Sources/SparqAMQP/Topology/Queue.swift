/// A queue to be declared (AMQP `queue.declare`).
public struct Queue: Sendable, Hashable {
    /// At most 255 bytes. Empty names, which let the broker choose, are for ``AMQPSession`` alone: nobody could name it again.
    public var name: String
    /// Survives a restart of the broker.
    public var durable: Bool
    /// Belongs to the connection that declared it and dies with it.
    public var exclusive: Bool
    /// Goes when its last consumer goes.
    public var autoDelete: Bool
    /// For example `x-queue-type`, `x-expires`, `x-dead-letter-exchange`.
    public var arguments: [String: AMQPValue]
    /// It must be there: declaring it makes none. Where it is not there the broker refuses with 404. All else but the name is passed over.
    public var isPassive: Bool

    /// A durable queue.
    public init(
        _ name: String,
        durable: Bool = true,
        exclusive: Bool = false,
        autoDelete: Bool = false,
        arguments: [String: AMQPValue] = [:],
        isPassive: Bool = false
    ) {
        self.name = name
        self.durable = durable
        self.exclusive = exclusive
        self.autoDelete = autoDelete
        self.arguments = arguments
        self.isPassive = isPassive
    }
}
