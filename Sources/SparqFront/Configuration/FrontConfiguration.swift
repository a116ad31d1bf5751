public import SparqAMQP
public import SparqWire

/// All settings of a front, with the defaults of the design.
public struct FrontConfiguration: Sendable {
    /// The node's id, unique in the cluster: letters, digits, `-` and `_`, 64 at most. `nil`: `f-` and eight random hexadecimal digits.
    public var node: String?
    /// Where to listen.
    public var host = "127.0.0.1"
    /// Where to listen; 0 takes a free port, which ``Front/port`` tells.
    public var port = 8080
    /// The broker; used for two connections.
    public var broker: AMQPConfiguration
    /// Names on the broker.
    public var names = BrokerNames()
    /// Which lane of workers serves which type.
    public var lanes = LaneMap()
    /// The secret that session tokens are signed with; 32 bytes at least. The same on all fronts.
    public var sessionSecret: String
    /// How long a session token is good for.
    public var sessionLifetime: Duration = .seconds(7 * 24 * 3600)
    /// Whether the session cookie is for HTTPS alone.
    public var secureCookie = true
    /// For development: a plain cookie `username` says who the client is.
    public var devCookie = false
    /// Origins of pages that may connect, besides the front's own.
    public var allowedOrigins = AllowedOrigins.none
    /// The header `Content-Security-Policy` of all responses. By default what the chat page needs: nothing but its own files and sockets, and
    /// nobody may frame it.
    public var contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; form-action 'none'; \
        base-uri 'none'; frame-ancestors 'none'
        """
    /// The folder of static files; `nil` serves none.
    public var webRoot: String?

    /// Bytes of one message.
    public var messageBytes = 64 * 1024
    /// Topics of one connection.
    public var topicsPerConnection = 512
    /// Bytes that wait to be written to one socket; above it the socket is closed with 4008.
    public var outboundBytes = 1 << 20
    /// Messages of one connection and lane without an answer; at this many the socket is not read, or, where one of several lanes is full for about a second, what
    /// comes for that lane is refused.
    public var inFlight = 64
    /// Between pings.
    public var pingInterval: Duration = .seconds(25)
    /// For the pong.
    public var pongTimeout: Duration = .seconds(10)
    /// From the TCP connection to the upgrade.
    public var handshakeTimeout: Duration = .seconds(10)
    /// Messages a second of one connection; of one user's over HTTP too.
    public var messagesPerSecond = 100
    /// Messages of one connection that may come at once; of one user's over HTTP too.
    public var burst = 200
    /// Messages a second over HTTP without a session, such as log-ins, from one address.
    public var requestsPerSecond = 20
    /// Messages over HTTP without a session that may come at once from one address.
    public var requestBurst = 200
    /// The header in which a proxy before the front names the client's address, such as `X-Forwarded-For`: its last address counts. `nil`:
    /// there is no proxy, and such a header would be the client's own invention. The same goes for `X-Forwarded-Proto`, in which the proxy says
    /// whether clients come by `https`.
    public var forwardedHeader: String?
    /// A message without an answer for this long gets `unavailable`.
    public var replyDeadline: Duration = .seconds(10)
    /// Sockets of one front, HTTP ones included; beyond it connections wait in the kernel's backlog.
    public var maxConnections = 100_000

    /// Messages in one batch.
    public var batchMessages = 256
    /// Bytes in one batch.
    public var batchBytes = 256 * 1024
    /// AMQP messages of one lane that may be unconfirmed before batches form.
    public var unconfirmedBatches = 4
    /// Bytes of messages of one lane that wait for the broker, of all sockets together; at this many sockets that have more of it are not read.
    public var waitingBytes = 8 << 20
    /// Bytes that wait in the node's queue at most, where the front is too slow for what comes; beyond it the broker drops the oldest, and the front asks
    /// again for what it may have lost.
    public var queueBytes = 64 << 20
    /// Deliveries from the node's queue that are unacknowledged at most.
    public var prefetch: UInt16 = 64

    /// Events of one topic that are held when they come early; beyond it, and beyond ``holdBytes``, they are read from the log.
    public var holdEvents = 1024
    /// Bytes of the events of one topic that are held when they come early.
    public var holdBytes = 1 << 20
    /// From noticing a gap in a topic to asking for what is missing.
    public var gapPatience: Duration = .milliseconds(250)
    /// The last events of each topic that are kept.
    public var ringEvents = 128
    /// The node's lease. It is renewed three times in this time, and its queue outlives its front by it and a minute.
    public var lease: Duration = .seconds(15)
    /// The window over which a draining front moves its clients away, and over which it has them come again where it may have missed that they lost a right.
    public var drainWindow: Duration = .seconds(5)

    /// Settings with the defaults of the design.
    public init(broker: AMQPConfiguration, sessionSecret: String) {
        self.broker = broker
        self.sessionSecret = sessionSecret
    }
}
