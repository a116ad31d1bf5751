/// Where a broker listens.
public struct AMQPHost: Sendable, Hashable {
    /// Its name, or its address (IPv6 without brackets).
    public var name: String
    /// 5672 for `amqp`, 5671 for `amqps` unless given.
    public var port: UInt16

    /// A host by its parts.
    public init(_ name: String, port: UInt16 = 5672) {
        self.name = name
        self.port = port
    }
}

extension AMQPHost: CustomStringConvertible {
    /// As in a URL.
    public var description: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
}
