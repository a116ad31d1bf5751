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

/// How long to wait between attempts to connect: a random time between zero and a ceiling that doubles with every failure
/// ("full jitter"), so that many clients do not come back in step.
public struct BackoffSettings: Sendable, Hashable {
    /// The ceiling after the first failure.
    public var initial: Duration
    /// The highest ceiling.
    public var maximum: Duration

    /// From 0.1 to 10 seconds unless told otherwise.
    public init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(10)) {
        self.initial = initial
        self.maximum = maximum
    }
}
