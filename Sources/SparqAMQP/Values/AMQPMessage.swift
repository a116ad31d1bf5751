/// A message as it is published and received: a body and the properties of AMQP's basic class (AMQP 0-9-1, 1.8).
///
/// Every text but the headers' values is a short string: at most 255 bytes of UTF-8.
public struct AMQPMessage: Sendable, Hashable {
    /// The payload. May be larger than one frame.
    public var body: [UInt8]
    /// MIME type of the body.
    public var contentType: String?
    /// MIME encoding of the body.
    public var contentEncoding: String?
    /// Application headers. All of them together must fit into one frame (128 KiB less a little).
    public var headers: [String: AMQPValue]
    /// Whether a durable queue keeps the message over a restart of the broker (delivery mode 2).
    public var persistent: Bool
    /// 0…9 for queues that know priorities.
    public var priority: UInt8?
    /// For matching a reply to its request.
    public var correlationID: String?
    /// Where replies are expected.
    public var replyTo: String?
    /// Time to live in the queue, in milliseconds, as text (RabbitMQ, "Per-Message TTL").
    public var expiration: String?
    /// The application's identifier of the message.
    public var messageID: String?
    /// Seconds since 1970.
    public var timestamp: UInt64?
    /// The application's type of the message.
    public var type: String?
    /// The publishing user; the broker refuses a name other than the connection's.
    public var userID: String?
    /// The publishing application.
    public var appID: String?

    /// A persistent message with the given body.
    public init(
        body: [UInt8],
        contentType: String? = nil,
        contentEncoding: String? = nil,
        headers: [String: AMQPValue] = [:],
        persistent: Bool = true,
        priority: UInt8? = nil,
        correlationID: String? = nil,
        replyTo: String? = nil,
        expiration: String? = nil,
        messageID: String? = nil,
        timestamp: UInt64? = nil,
        type: String? = nil,
        userID: String? = nil,
        appID: String? = nil
    ) {
        self.body = body
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.headers = headers
        self.persistent = persistent
        self.priority = priority
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }
}
