/// Where the broker is, who we are, and how patient to be.
public struct AMQPConfiguration: Sendable, Hashable {
    /// The brokers of a cluster, one at least. Each attempt to connect takes the next one. Where a process begins is random, so that the
    /// connections of many processes spread.
    public var hosts: [AMQPHost]
    /// The user to log in as (SASL PLAIN).
    public var user: String
    /// The user's password. Never part of any description, error or log line.
    public var password: String
    /// The virtual host.
    public var virtualHost: String
    /// How often each side shows that it is alive, in whole seconds, rounded up; the broker may ask for less. We notice a silent broker
    /// after two to three of them; the broker notices us after two to three, and delivers to others what we had.
    ///
    /// Zero turns heartbeats off. Then only the kernel notices a dead connection (after about 15 s), and nobody one that
    /// something between us and the broker holds open.
    ///
    /// Five seconds is the least that RabbitMQ's guide to heartbeats calls safe against false alarms; a false alarm costs a new connection.
    public var heartbeat: Duration = .seconds(5)
    /// Limit for resolving a host's name, for the TCP connection to each address that it has, and for the AMQP handshake. With TLS, the
    /// addresses of a name share one limit, and so does the handshake.
    public var connectTimeout: Duration = .seconds(5)
    /// Limit for the answer to a request, such as a declaration.
    public var rpcTimeout: Duration = .seconds(10)
    /// Shown in the broker's list of connections.
    public var connectionName: String?
    /// Pauses between attempts to connect.
    public var backoff = BackoffSettings()
    /// Set for `amqps://`.
    public var tls: TLSSettings?

    /// A configuration for one broker.
    public init(host: String, port: UInt16 = 5672, user: String = "guest", password: String = "guest", virtualHost: String = "/") {
        self.init(hosts: [AMQPHost(host, port: port)], user: user, password: password, virtualHost: virtualHost)
    }

    /// A configuration for the brokers of a cluster.
    public init(hosts: [AMQPHost], user: String = "guest", password: String = "guest", virtualHost: String = "/") {
        self.hosts = hosts
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
    }
}

extension AMQPConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Everything that helps to find the broker, and nothing that opens it.
    public var description: String {
        "\(tls == nil ? "amqp" : "amqps")://\(user)@\(hosts.map(\.description).joined(separator: ",")) vhost \(virtualHost)"
    }
    /// The same as ``description``.
    public var debugDescription: String { description }
    /// Hides the password from `dump` and from reflection.
    public var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}
