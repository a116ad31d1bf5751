/// The text of a reply, as the client gets it (docs/PROTOCOL.md, "From the server").
package struct ReplyBody: Equatable, Sendable {
    /// Yes or no.
    package enum Outcome: Equatable, Sendable {
        /// The message took effect. `data` is the JSON text of what the handler says.
        case success(data: ArraySlice<UInt8>?)
        /// It did not.
        case failure(ErrorBody)
    }

    /// The `id` of the message; `nil` if it had none.
    package var re: String?
    /// Yes or no.
    package var outcome: Outcome
    /// The message took effect before: this is its first reply again.
    package var isRepeat: Bool
    /// The message differs from the first one under its `id`.
    package var isMismatch: Bool

    /// A reply of its parts.
    package init(re: String?, _ outcome: Outcome, isRepeat: Bool = false, isMismatch: Bool = false) {
        self.re = re
        self.outcome = outcome
        self.isRepeat = isRepeat
        self.isMismatch = isMismatch
    }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        switch outcome {
        case .success(let data): Self.open(re, data, &writer)
        case .failure(let error): Self.open(re, error, &writer)
        }
        if isRepeat { Self.mark(isMismatch, &writer) }
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads a whole reply. Keys come in any order; unknown ones are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var re: String?
        var isOK: Bool?
        var data: ArraySlice<UInt8>?
        var error: ErrorBody?
        var isRepeat = false
        var isMismatch = false
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            if JSONCursor.matches(key, "re", in: bytes) {
                re = try cursor.optionalText(in: bytes)
            } else if JSONCursor.matches(key, "ok", in: bytes) {
                isOK = try cursor.flag()
            } else if JSONCursor.matches(key, "data", in: bytes) {
                data = text.slice(try cursor.skipValue(depth: 1))
            } else if JSONCursor.matches(key, "error", in: bytes) {
                error = try ErrorBody(decoding: &cursor, in: bytes)
            } else if JSONCursor.matches(key, "repeat", in: bytes) {
                isRepeat = try cursor.flag()
            } else if JSONCursor.matches(key, "mismatch", in: bytes) {
                isMismatch = try cursor.flag()
            } else {
                try cursor.skipValue(depth: 1)
            }
        }
        guard let isOK else { throw JSONError(.missingKey, at: 0) }
        self.init(
            re: re,
            isOK ? .success(data: data) : .failure(error ?? ErrorBody(.internal, "")),
            isRepeat: isRepeat,
            isMismatch: isMismatch
        )
    }
}

/// Whole texts, straight from their parts.
extension ReplyBody {
    /// The message took effect.
    package static func success(id: String?, data: ArraySlice<UInt8>?) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + (data?.count ?? 0))
        open(id, data, &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// It did not.
    package static func error(id: String?, _ error: ErrorBody) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 128)
        open(id, error, &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    /// A first reply, marked as coming again.
    package static func repeated(_ reply: ArraySlice<UInt8>, mismatch: Bool) -> ArraySlice<UInt8> {
        guard reply.last == UInt8(ascii: "}") else { return reply }
        var writer = JSONWriter(reservingCapacity: reply.count + 32)
        writer.raw(reply.dropLast())
        mark(mismatch, &writer)
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    @inline(__always)
    private static func open(_ id: String?, _ data: ArraySlice<UInt8>?, _ writer: inout JSONWriter) {
        open(id, &writer)
        writer.raw("\"ok\":true")
        if let data {
            writer.raw(",\"data\":")
            writer.json(data)
        }
    }

    @inline(__always)
    private static func open(_ id: String?, _ error: ErrorBody, _ writer: inout JSONWriter) {
        open(id, &writer)
        writer.raw("\"ok\":false,\"error\":")
        error.encode(into: &writer)
    }

    @inline(__always)
    private static func open(_ id: String?, _ writer: inout JSONWriter) {
        writer.byte(UInt8(ascii: "{"))
        if let id {
            writer.raw("\"re\":")
            writer.string(id)
            writer.byte(UInt8(ascii: ","))
        }
    }

    private static func mark(_ mismatch: Bool, _ writer: inout JSONWriter) {
        writer.raw(",\"repeat\":true")
        if mismatch { writer.raw(",\"mismatch\":true") }
    }
}
