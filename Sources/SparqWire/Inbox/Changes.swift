/// A message's lasting changes, as the inbox notes them. A value without I/O.
package struct Changes: Equatable, Sendable {
    /// One delivery of a message by its client, however often the broker delivers it: a client that sends it again does so under another ordinal
    /// or on another connection.
    package struct Origin: Equatable, Sendable {
        package var connection: String
        package var ordinal: Int

        package init(connection: String, ordinal: Int) {
            self.connection = connection
            self.ordinal = ordinal
        }

        package init(_ envelope: Envelope) { self.init(connection: envelope.connection ?? "", ordinal: envelope.ordinal) }
    }

    /// Where the message came from; noted where a change needs it.
    package var origin: Origin?
    package var list: [Change] = []

    package init(origin: Origin? = nil, _ list: [Change] = []) {
        self.origin = origin
        self.list = list
    }

    package init(_ list: [Change], of envelope: Envelope) {
        self.init(origin: list.contains(where: \.needsOrigin) ? Origin(envelope) : nil, list)
    }

    /// Those that a repeat makes anew.
    ///
    /// Those to others' connections, and the beginning of a session, only for the very message that made them, which a worker may have left
    /// half done. Its client may send it again much later, when others have come back with good reason, or the password is another.
    package func again(for envelope: Envelope) -> [Change] {
        origin == Origin(envelope) ? list : list.filter { !$0.needsOrigin }
    }
}

// MARK: JSON

/// `{"origin":{"connection":"c1","n":7},"changes":[{"kind":"subscribe","topic":"room:a","from":3}]}`; the origin only where it is noted.
extension Changes {
    /// `nil` where there are none.
    package var json: String? {
        if list.isEmpty { return nil }
        var writer = JSONWriter(reservingCapacity: 64 + 64 * list.count)
        writer.raw("{")
        if let origin {
            writer.raw("\"origin\":{\"connection\":")
            writer.string(origin.connection)
            writer.raw(",\"n\":")
            writer.integer(origin.ordinal)
            writer.raw("},")
        }
        writer.raw("\"changes\":")
        writer.array(list) { change, writer in change.encode(into: &writer) }
        writer.raw("}")
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Reads both forms. Changes of unknown kinds are passed over; a text that cannot be read has none.
    package init(text: String) {
        if text.utf8.first == UInt8(ascii: "{") {
            self = (try? Changes(json: ArraySlice(text.utf8))) ?? Changes()
        } else {
            self.init(lines: text)
        }
    }

    private init(json: ArraySlice<UInt8>) throws(JSONError) {
        var changes = Changes()
        try JSONCursor.readObject(json) { key, cursor, bytes throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "origin": changes.origin = try Origin(&cursor, in: bytes)
            case "changes":
                try cursor.elements { cursor throws(JSONError) in
                    if let change = try Change(&cursor, in: bytes) { changes.list.append(change) }
                }
            default: try cursor.skipValue()
            }
        }
        self = changes
    }
}

extension Changes.Origin {
    fileprivate init(_ cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var origin = Self(connection: "", ordinal: 0)
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "connection": origin.connection = try cursor.text(in: bytes)
            case "n": origin.ordinal = try cursor.integer(in: bytes)
            default: try cursor.skipValue()
            }
        }
        self = origin
    }
}
