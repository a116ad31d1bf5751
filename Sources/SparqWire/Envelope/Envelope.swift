/// One message on its way from a front to a worker: the client's own JSON as raw bytes, and what the front knows of it.
///
/// An AMQP message carries a batch: one envelope a line (`application/x-ndjson`), all for one pool.
public struct Envelope: Equatable, Sendable {
    /// The node that forwards the message, and that its reply goes to.
    public var node: String
    /// The connection it came from; `nil` where the node itself speaks.
    public var connection: String?
    /// Counts the connection's messages from 1; the worker's `done` carries it back.
    public var ordinal: Int
    /// Who sent it; `nil` for anonymous ones and for the node itself.
    public var user: String?
    /// Where it came from, as far as it tells people apart: of an IPv6 address the first 64 bits. `nil` where no front knows.
    public var address: String?
    /// When the front received it: milliseconds since the Unix epoch.
    public var receivedAt: Int
    /// The message's `type`; system messages begin with `$`.
    public var type: String
    /// The client's own `id` of the message.
    public var id: String?
    /// The client's JSON, byte for byte but for line breaks between its tokens.
    public var message: ArraySlice<UInt8>

    /// An envelope of its parts.
    public init(
        node: String,
        connection: String?,
        ordinal: Int,
        user: String?,
        address: String? = nil,
        receivedAt: Int,
        type: String,
        id: String?,
        message: ArraySlice<UInt8>
    ) {
        self.address = address
        self.node = node
        self.connection = connection
        self.ordinal = ordinal
        self.user = user
        self.receivedAt = receivedAt
        self.type = type
        self.id = id
        self.message = message
    }
}
