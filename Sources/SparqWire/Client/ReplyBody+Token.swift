extension ReplyBody {
    /// The reply with `"token"` as the first field of its `data`; with a `data` of its own if it has none. A text that is no object stays as it is.
    package static func inserting(token: String, into reply: [UInt8]) -> [UInt8] {
        guard let place = Place(in: reply) else { return reply }
        var writer = JSONWriter(reservingCapacity: reply.count + token.utf8.count + 24)
        writer.raw(reply[..<place.range.lowerBound])
        switch place.kind {
        case .inside: break
        case .value: writer.raw("{")
        case .member: writer.raw("\"data\":{")
        }
        writer.raw("\"token\":")
        writer.string(token)
        if place.kind != .inside { writer.raw("}") }
        if place.hasMore { writer.raw(",") }
        writer.raw(reply[place.range.upperBound...])
        return writer.bytes
    }

    /// Where a token goes.
    private struct Place {
        enum Kind {
            /// Behind the opening brace of `data`.
            case inside
            /// In place of a `data` that is no object.
            case value
            /// Behind the opening brace of the reply, as there is no `data`.
            case member
        }

        var kind: Kind
        /// What it replaces.
        var range: Range<Int>
        /// Another member follows it.
        var hasMore: Bool

        init?(in reply: [UInt8]) {
            let place: Place? = reply.withUnsafeBytes { bytes in
                do throws(JSONError) { return try Place(bytes) } catch { return nil }
            }
            guard let place else { return nil }
            self = place
        }

        private init(_ bytes: UnsafeRawBufferPointer) throws(JSONError) {
            var cursor = JSONCursor(bytes, depthLimit: JSONDepth.line)
            cursor.skipWhitespace()
            let start = cursor.position + 1
            var data: Range<Int>?
            var isEmpty = true
            try cursor.members(in: bytes) { key, cursor throws(JSONError) in
                isEmpty = false
                let value = try cursor.skipValue(depth: 1)
                if data == nil, JSONCursor.matches(key, "data", in: bytes) { data = value }
            }
            guard let data else {
                (kind, range, hasMore) = (.member, start..<start, !isEmpty)
                return
            }
            guard bytes[data.lowerBound] == UInt8(ascii: "{") else {
                (kind, range, hasMore) = (.value, data, false)
                return
            }
            let inside = data.lowerBound + 1
            var first = JSONCursor(bytes, at: inside)
            first.skipWhitespace()
            (kind, range, hasMore) = (.inside, inside..<inside, first.peek() != UInt8(ascii: "}"))
        }
    }
}
