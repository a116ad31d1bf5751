extension Envelope {
    /// Appends the envelope as one line, its line break included.
    public func encode(into writer: inout JSONWriter) {
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
    public init(line: ArraySlice<UInt8>) throws(JSONError) {
        var envelope = Envelope(node: "", connection: nil, ordinal: 0, user: nil, receivedAt: 0, type: "", id: nil, message: [])
        try NDJSON.readObject(line) { key, cursor, bytes throws(JSONError) in
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
