/// The text of an event, as the client gets it (docs/PROTOCOL.md, "From the server").
package struct EventBody: Equatable, Sendable {
    /// Why a durable event comes without its data.
    package struct Omission: RawRepresentable, Equatable, Sendable, ExpressibleByStringLiteral {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }
        package init(stringLiteral value: String) { rawValue = value }

        /// It is larger than a client can get.
        package static let tooLarge: Self = "too_large"
        /// It is nested deeper than a front can read.
        package static let tooDeep: Self = "too_deep"
        /// It is no JSON.
        package static let notJSON: Self = "not_json"
    }

    /// What kind of event it is, like `room.message`.
    package var type: String
    /// The topic; `nil` if the server speaks to one connection alone.
    package var topic: String?
    /// Its number in the topic; `nil` for an ephemeral event.
    package var seq: Int?
    /// When it was committed; `nil` for an ephemeral event.
    package var at: String?
    /// The JSON text of the application's part; `nil` in system frames that this version does not know.
    package var data: ArraySlice<UInt8>?
    /// Why the data is missing.
    package var omitted: Omission?

    /// An event of its parts.
    package init(type: String, topic: String?, seq: Int?, at: String?, data: ArraySlice<UInt8>?, omitted: Omission? = nil) {
        self.type = type
        self.topic = topic
        self.seq = seq
        self.at = at
        self.data = data
        self.omitted = omitted
    }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        Self.open(type, topic, seq, &writer)
        if let at {
            writer.raw(",\"at\":")
            writer.string(at)
        }
        if let data {
            writer.raw(",\"data\":")
            writer.json(data)
        }
        if let omitted { Self.mark(omitted, &writer) }
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads a whole event. Keys come in any order; unknown ones are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var topic: String?
        var seq: Int?
        var at: String?
        var data: ArraySlice<UInt8>?
        var omitted: String?
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            if JSONCursor.matches(key, "type", in: bytes) {
                type = try cursor.text(in: bytes)
            } else if JSONCursor.matches(key, "topic", in: bytes) {
                topic = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "seq", in: bytes) {
                seq = try cursor.optionalInteger(in: bytes)
            } else if JSONCursor.matches(key, "at", in: bytes) {
                at = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "data", in: bytes) {
                data = text.slice(try cursor.skipValue(depth: 1))
            } else if JSONCursor.matches(key, "omitted", in: bytes) {
                omitted = try cursor.optionalText(in: bytes)
            } else {
                try cursor.skipValue(depth: 1)
            }
        }
        guard let type else { throw JSONError(.missingKey, at: 0) }
        self.init(type: type, topic: topic, seq: seq, at: at, data: data, omitted: omitted.map(Omission.init(rawValue:)))
    }
}

/// Whole texts, straight from their parts.
extension EventBody {
    /// An event that is in its topic's log.
    package static func durable(
        type: String,
        topic: String,
        seq: Int,
        at: ArraySlice<UInt8>,
        data: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 96 + type.utf8.count + topic.utf8.count + data.count)
        durable(type, topic, seq, at, data, &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// A durable event that cannot be delivered as it is, with the reason instead of its data.
    package static func omitted(
        type: String,
        topic: String,
        seq: Int,
        at: ArraySlice<UInt8>,
        _ reason: Omission
    ) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 128)
        durable(type, topic, seq, at, nothing, &writer)
        mark(reason, &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// An event without a number: for the subscribers of a topic, or for one connection.
    package static func ephemeral(type: String, topic: String?, data: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + type.utf8.count + data.count)
        open(type, topic, nil, &writer)
        writer.raw(",\"data\":")
        writer.json(data)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    private static let nothing = Array("null".utf8)[...]

    @inline(__always)
    private static func open(_ type: String, _ topic: String?, _ seq: Int?, _ writer: inout JSONWriter) {
        writer.raw("{\"type\":")
        writer.string(type)
        if let topic {
            writer.raw(",\"topic\":")
            writer.string(topic)
        }
        if let seq {
            writer.raw(",\"seq\":")
            writer.integer(seq)
        }
    }

    @inline(__always)
    private static func durable(
        _ type: String,
        _ topic: String,
        _ seq: Int,
        _ at: ArraySlice<UInt8>,
        _ data: ArraySlice<UInt8>,
        _ writer: inout JSONWriter
    ) {
        open(type, topic, seq, &writer)
        writer.raw(",\"at\":\"")
        writer.raw(at)
        writer.raw("\",\"data\":")
        writer.json(data)
    }

    private static func mark(_ reason: Omission, _ writer: inout JSONWriter) {
        writer.raw(",\"omitted\":")
        writer.string(reason.rawValue)
    }
}
