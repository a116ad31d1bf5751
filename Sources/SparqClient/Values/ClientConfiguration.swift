/// What a ``SparqClient`` needs to know before it runs.
public struct ClientConfiguration: Sendable {
    /// The fronts, like `ws://127.0.0.1:8080/ws`; every new attempt takes the next one. With `wss://` the client speaks TLS.
    public var urls: [String]
    /// The session token; goes as `Authorization: Bearer`.
    public var token: String?
    /// More header fields for the upgrade, such as a cookie.
    public var headers: [(name: String, value: String)] = []
    /// How `wss` connections are secured; ``ClientTLS/system()`` where it is `nil`. Clients can share one.
    public var tls: ClientTLS?
    /// What all message ids begin with; random where it is `nil`.
    public var idPrefix: String?
    /// For the reconnect delays and the first front; random where it is `nil`.
    public var seed: UInt64?
    /// Messages without an answer; more are refused with ``ClientError/Code/tooManyUnanswered``.
    public var unansweredLimit = 1_024
    /// Events that the owner has not taken yet; at the limit the client stops reading from its socket.
    public var eventLimit = 1_024
    /// How long a TCP connection and its upgrade may take, in milliseconds.
    public var connectTimeoutMilliseconds = 5_000
    /// The first bound of the delay before another attempt, to connect or to send what was answered `unavailable`; it doubles with every
    /// attempt up to ``backoffCapMilliseconds``.
    public var backoffBaseMilliseconds = 100
    /// The last bound of that delay.
    public var backoffCapMilliseconds = 30_000
    /// The longest frame that is accepted from the server, in bytes.
    public var frameLimit = 16 * 1_024 * 1_024

    /// The fronts, and who one is.
    public init(urls: [String], token: String? = nil) {
        self.urls = urls
        self.token = token
    }
}
