/// One message on its way from a front to a worker: the client's own JSON as raw bytes, and what the front knows of it.
///
/// An AMQP message carries a batch: one envelope a line (`application/x-ndjson`), all for one lane.
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

extension Envelope {
    /// Appends the envelope as one line, its line break included.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"node\":")
        writer.string(node)
        if let connection {
            writer.raw(",\"connection\":")
            writer.string(connection)
            writer.raw(",\"n\":")
            writer.integer(ordinal)
        }
        if let user {
            writer.raw(",\"user\":")
            writer.string(user)
        }
        if let address {
            writer.raw(",\"address\":")
            writer.string(address)
        }
        writer.raw(",\"at\":")
        writer.integer(receivedAt)
        writer.raw(",\"type\":")
        writer.string(type)
        if let id {
            writer.raw(",\"id\":")
            writer.string(id)
        }
        writer.raw(",\"message\":")
        writer.json(message)
        writer.raw("}\n")
    }

    /// Reads one line. Keys come in any order; unknown ones are passed over.
    package init(line: ArraySlice<UInt8>) throws(JSONError) {
        var envelope = Envelope(node: "", connection: nil, ordinal: 0, user: nil, receivedAt: 0, type: "", id: nil, message: [])
        try JSONCursor.readObject(line) { key, cursor, bytes throws(JSONError) in
            if JSONCursor.matches(key, "node", in: bytes) {
                envelope.node = try cursor.text(in: bytes)
            } else if JSONCursor.matches(key, "connection", in: bytes) {
                envelope.connection = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "n", in: bytes) {
                envelope.ordinal = try cursor.integer(in: bytes)
            } else if JSONCursor.matches(key, "user", in: bytes) {
                envelope.user = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "address", in: bytes) {
                envelope.address = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "at", in: bytes) {
                envelope.receivedAt = try cursor.integer(in: bytes)
            } else if JSONCursor.matches(key, "type", in: bytes) {
                envelope.type = try cursor.text(in: bytes)
            } else if JSONCursor.matches(key, "id", in: bytes) {
                envelope.id = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "message", in: bytes) {
                envelope.message = line.slice(try cursor.skipValue())
            } else {
                try cursor.skipValue()
            }
        }
        guard !envelope.node.isEmpty, !envelope.type.isEmpty, !envelope.message.isEmpty else { throw JSONError(.missingKey, at: 0) }
        self = envelope
    }
}
