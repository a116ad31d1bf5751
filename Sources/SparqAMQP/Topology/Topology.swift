/// What must be there before work begins. Declared after every connect and reconnect: exchanges, then queues, then bindings, each in
/// the order given. Declaring what is there already changes nothing; declaring it differently is refused by the broker with 406.
public struct Topology: Sendable, Hashable {
    /// Declared first.
    public var exchanges: [Exchange]
    /// Declared second.
    public var queues: [Queue]
    /// Declared last.
    public var bindings: [Binding]

    /// A topology; empty by default.
    public init(exchanges: [Exchange] = [], queues: [Queue] = [], bindings: [Binding] = []) {
        self.exchanges = exchanges
        self.queues = queues
        self.bindings = bindings
    }
}

/// An exchange to be declared (AMQP `exchange.declare`).
public struct Exchange: Sendable, Hashable {
    /// The kind of routing. Plugins add more, so any text is possible.
    public struct Kind: Sendable, Hashable, ExpressibleByStringLiteral {
        /// The name on the wire.
        public let name: String
        /// A kind by its name on the wire.
        public init(_ name: String) { self.name = name }
        /// A kind by its name on the wire.
        public init(stringLiteral value: String) { name = value }
        /// By equal routing key.
        public static let direct: Kind = "direct"
        /// To all that are bound.
        public static let fanout: Kind = "fanout"
        /// By patterns of words.
        public static let topic: Kind = "topic"
        /// By headers.
        public static let headers: Kind = "headers"
    }

    /// At most 255 bytes.
    public var name: String
    /// How it routes.
    public var kind: Kind
    /// Survives a restart of the broker.
    public var durable: Bool
    /// Goes when its last binding goes.
    public var autoDelete: Bool
    /// Cannot be published to, only bound.
    public var isInternal: Bool
    /// For example `alternate-exchange`.
    public var arguments: [String: AMQPValue]

    /// A durable exchange.
    public init(
        _ name: String,
        kind: Kind,
        durable: Bool = true,
        autoDelete: Bool = false,
        isInternal: Bool = false,
        arguments: [String: AMQPValue] = [:]
    ) {
        self.name = name
        self.kind = kind
        self.durable = durable
        self.autoDelete = autoDelete
        self.isInternal = isInternal
        self.arguments = arguments
    }
}

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
