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
