/// `$reconnect`: the client is to connect again within this time. The front goes away, or may have missed that a user lost a right.
package struct ReconnectFrame: Equatable, Sendable {
    @inlinable package static var type: String { "$reconnect" }

    /// The socket is closed after this time, in milliseconds.
    package var afterMilliseconds: Int

    package init(afterMilliseconds: Int) { self.afterMilliseconds = afterMilliseconds }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"type\":\"$reconnect\",\"after_ms\":")
        writer.integer(afterMilliseconds)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads a whole frame. Unknown keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var after: Int?
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "type": type = try cursor.text(in: bytes)
            case "after_ms": after = try cursor.optionalInteger(in: bytes)
            default: try cursor.skipValue(depth: 1)
            }
        }
        guard type == Self.type else { throw JSONError(.missingKey, at: 0) }
        self.init(afterMilliseconds: after ?? 0)
    }
}

/// `$truncated`: the log no longer reaches back to the client's cursor.
package struct TruncatedFrame: Equatable, Sendable {
    @inlinable package static var type: String { "$truncated" }

    /// The topic.
    package var topic: String
    /// The client's cursor.
    package var after: Int
    /// The `seq` of the next event.
    package var first: Int

    package init(topic: String, after: Int, first: Int) {
        self.topic = topic
        self.after = after
        self.first = first
    }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"type\":\"$truncated\",\"topic\":")
        writer.string(topic)
        writer.raw(",\"after\":")
        writer.integer(after)
        writer.raw(",\"first\":")
        writer.integer(first)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads a whole frame. Unknown keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var topic: String?
        var after: Int?
        var first: Int?
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "type": type = try cursor.text(in: bytes)
            case "topic": topic = try cursor.text(in: bytes)
            case "after": after = try cursor.optionalInteger(in: bytes)
            case "first": first = try cursor.integer(in: bytes)
            default: try cursor.skipValue(depth: 1)
            }
        }
        guard type == Self.type, let topic, let first else { throw JSONError(.missingKey, at: 0) }
        self.init(topic: topic, after: after ?? 0, first: first)
    }
}

/// `$ping`: a page asks whether anybody is there, because it does not see the socket's own pings. The front answers it.
package struct PingMessage: Equatable, Sendable {
    @inlinable package static var type: String { "$ping" }

    package init() {}

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) { writer.raw("{\"type\":\"$ping\"}") }

    /// Reads a whole message. Other keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) { try JSONCursor.expect(type: Self.type, in: text) }
}

/// `$pong`: the answer to `$ping`.
package struct PongFrame: Equatable, Sendable {
    @inlinable package static var type: String { "$pong" }

    package init() {}

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) { writer.raw("{\"type\":\"$pong\"}") }

    /// Reads a whole frame. Other keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) { try JSONCursor.expect(type: Self.type, in: text) }
}

extension JSONCursor {
    /// Reads an object of which only the `type` counts.
    fileprivate static func expect(type: String, in text: ArraySlice<UInt8>) throws(JSONError) {
        var found: String?
        try readObject(text) { key, cursor, bytes throws(JSONError) in
            if matches(key, "type", in: bytes) { found = try cursor.text(in: bytes) } else { try cursor.skipValue(depth: 1) }
        }
        guard found == type else { throw JSONError(.missingKey, at: 0) }
    }
}
