/// `$welcome`: the first frame of every socket.
package struct WelcomeFrame: Equatable, Sendable {
    @inlinable package static var type: String { "$welcome" }

    /// What the client may do. The defaults stand for what a server does not say.
    package struct Limits: Equatable, Sendable {
        /// The longest message, in bytes.
        package var messageBytes = 65_536
        /// Topics of one connection.
        package var topics = 512
        /// Messages of one lane without an answer at which the socket is not read any more.
        package var inFlight = 64
        /// Messages a second.
        package var messagesPerSecond = 100
        /// Messages at once.
        package var burst = 200

        package init() {}
    }

    /// The connection's id.
    package var connection: String
    /// Who the client is; `nil` for nobody.
    package var user: String?
    /// The front's id.
    package var node: String
    /// The front pings this often, in milliseconds.
    package var heartbeatMilliseconds: Int
    /// What the client may do.
    package var limits: Limits

    /// A welcome of its parts.
    package init(connection: String, user: String?, node: String, heartbeatMilliseconds: Int, limits: Limits) {
        self.connection = connection
        self.user = user
        self.node = node
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.limits = limits
    }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"type\":\"$welcome\",\"connection\":")
        writer.string(connection)
        if let user {
            writer.raw(",\"user\":")
            writer.string(user)
        }
        writer.raw(",\"node\":")
        writer.string(node)
        writer.raw(",\"heartbeat_ms\":")
        writer.integer(heartbeatMilliseconds)
        writer.raw(",\"limits\":{\"message_bytes\":")
        writer.integer(limits.messageBytes)
        writer.raw(",\"topics\":")
        writer.integer(limits.topics)
        writer.raw(",\"in_flight\":")
        writer.integer(limits.inFlight)
        writer.raw(",\"messages_per_second\":")
        writer.integer(limits.messagesPerSecond)
        writer.raw(",\"burst\":")
        writer.integer(limits.burst)
        writer.raw("}}")
    }

    /// Reads a whole frame. Unknown keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var connection: String?
        var user: String?
        var node: String?
        var heartbeat: Int?
        var limits = Limits()
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "type": type = try cursor.text(in: bytes)
            case "connection": connection = try cursor.text(in: bytes)
            case "user": user = try cursor.optionalText(in: bytes)
            case "node": node = try cursor.text(in: bytes)
            case "heartbeat_ms": heartbeat = try cursor.integer(in: bytes)
            case "limits": try limits.decode(&cursor, in: bytes)
            default: try cursor.skipValue(depth: 1)
            }
        }
        guard type == Self.type, let connection, let node, let heartbeat else { throw JSONError(.missingKey, at: 0) }
        self.init(connection: connection, user: user, node: node, heartbeatMilliseconds: heartbeat, limits: limits)
    }
}

extension WelcomeFrame.Limits {
    fileprivate mutating func decode(_ cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var limits = self
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "message_bytes": limits.messageBytes = try cursor.integer(in: bytes)
            case "topics": limits.topics = try cursor.integer(in: bytes)
            case "in_flight": limits.inFlight = try cursor.integer(in: bytes)
            case "messages_per_second": limits.messagesPerSecond = try cursor.integer(in: bytes)
            case "burst": limits.burst = try cursor.integer(in: bytes)
            default: try cursor.skipValue(depth: 2)
            }
        }
        self = limits
    }
}
