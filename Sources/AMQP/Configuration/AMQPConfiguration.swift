/// Where the broker is, who we are, and how patient to be.
public struct AMQPConfiguration: Sendable, Hashable {
    /// Name or address of the broker's host.
    public var host: String
    /// 5672 for `amqp`, 5671 for `amqps` unless given.
    public var port: UInt16
    /// The user to log in as (SASL PLAIN).
    public var user: String
    /// The user's password. Never part of any description, error or log line.
    public var password: String
    /// The virtual host.
    public var virtualHost: String
    /// How often each side shows that it is alive, in whole seconds, rounded up; the broker may ask for less. Zero turns heartbeats off.
    /// We notice a silent broker after two of them; the broker notices us after two to three, and delivers to others what we had.
    ///
    /// Five seconds is the least that RabbitMQ's guide to heartbeats calls safe against false alarms; a false alarm costs a new connection.
    public var heartbeat: Duration = .seconds(5)
    /// Limit for the TCP connection and the TLS handshake, and again for the AMQP handshake.
    public var connectTimeout: Duration = .seconds(5)
    /// Limit for the answer to a request, such as a declaration.
    public var rpcTimeout: Duration = .seconds(10)
    /// Shown in the broker's list of connections.
    public var connectionName: String?
    /// Pauses between attempts to connect.
    public var backoff = BackoffSettings()
    /// Set for `amqps://`.
    public var tls: TLSSettings?

    /// A configuration by its parts.
    public init(host: String, port: UInt16 = 5672, user: String = "guest", password: String = "guest", virtualHost: String = "/") {
        self.host = host
        self.port = port
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
    }
}

extension AMQPConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Everything that helps to find the broker, and nothing that opens it.
    public var description: String {
        "\(tls == nil ? "amqp" : "amqps")://\(user)@\(host):\(port) vhost \(virtualHost)"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Hides the password from `dump` and from reflection.
    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}
