/// What a front needs to know of a client's message; all else stays bytes.
package struct Frame: Equatable, Sendable {
    /// The `type`, which chooses the handler. 1 to 128 bytes, without control characters.
    package let type: String
    /// The client's own `id` of the message, if it gave one. 1 to 128 bytes, without control characters.
    package let id: String?

    /// A frame of its parts.
    package init(type: String, id: String?) {
        self.type = type
        self.id = id
    }
}

extension Frame {
    /// Appends the whole message.
    ///
    /// - Parameter fields: The handler's own fields: the text of a JSON object, which names neither `type` nor `id`.
    package func encode(fields: ArraySlice<UInt8>? = nil, into writer: inout JSONWriter) {
        writer.raw("{\"type\":")
        writer.string(type)
        if let id {
            writer.raw(",\"id\":")
            writer.string(id)
        }
        let members = fields?.dropFirst().drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 } ?? []
        guard let first = members.first, first != UInt8(ascii: "}") else { return writer.byte(UInt8(ascii: "}")) }
        writer.byte(UInt8(ascii: ","))
        writer.raw(members)
    }

    /// The whole message.
    package func json(fields: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: fields.count + type.utf8.count + 48)
        encode(fields: fields[...], into: &writer)
        return writer.bytes
    }
}

/// Checks that a frame is a message, finds `type` and `id`, and leaves the rest as bytes.
package enum FrameScanner {
    /// Longest `type` and `id`, in bytes.
    package static let nameLimit = 128

    /// Scans one whole frame. The text must be one JSON object (RFC 8259), and nothing after it.
    ///
    /// `type` and `id` must not stand twice: a handler's decoder could see another one than the front did.
    package static func scan(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> Frame {
        var type: JSONCursor.RawString?
        var id: JSONCursor.RawString?
        var typeIsText = true
        var idIsText = true
        var isObject = true
        do throws(JSONError) {
            var cursor = JSONCursor(bytes)
            cursor.skipWhitespace()
            if cursor.peek() == UInt8(ascii: "{") {
                var seenType = false
                var seenID = false
                try cursor.members(in: bytes) { key, cursor throws(JSONError) in
                    if JSONCursor.matches(key, "type", in: bytes) {
                        if seenType { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
                        seenType = true
                        type = try Self.text(&cursor)
                        typeIsText = type != nil
                    } else if JSONCursor.matches(key, "id", in: bytes) {
                        if seenID { throw JSONError(.duplicateKey, at: key.range.lowerBound) }
                        seenID = true
                        id = try Self.text(&cursor)
                        idIsText = id != nil
                    } else {
                        try cursor.skipValue(depth: 1)
                    }
                }
            } else {
                isObject = false
                try cursor.skipValue()
            }
            try cursor.expectEnd()
        } catch {
            throw .notJSON(error)
        }
        guard isObject else { throw .notAnObject }
        guard idIsText else { throw .invalidID }
        let idText = id.map { JSONCursor.text($0, in: bytes) }
        if let idText, !(1...nameLimit).contains(idText.utf8.count) || idText.utf8.holdControlCharacters {
            throw .invalidID
        }
        guard typeIsText else { throw .invalidType(id: idText) }
        guard let type else { throw .missingType }
        let typeText = JSONCursor.text(type, in: bytes)
        guard (1...nameLimit).contains(typeText.utf8.count), !typeText.utf8.holdControlCharacters else {
            throw .invalidType(id: idText)
        }
        guard !typeText.hasPrefix("$") else { throw .reservedType(typeText, id: idText) }
        return Frame(type: typeText, id: idText)
    }

    /// Scans one whole frame that stands in an array.
    package static func scan(_ bytes: some Collection<UInt8>) throws(FrameError) -> Frame {
        let array = ContiguousArray(bytes)
        let result: Result<Frame, FrameError> = array.withUnsafeBytes { buffer in
            do throws(FrameError) { return .success(try scan(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    /// A string token, or nothing (and the value skipped) where another kind of value stands.
    private static func text(_ cursor: inout JSONCursor) throws(JSONError) -> JSONCursor.RawString? {
        cursor.skipWhitespace()
        guard cursor.peek() == UInt8(ascii: "\"") else {
            try cursor.skipValue(depth: 1)
            return nil
        }
        return try cursor.string()
    }
}

/// Why a frame is not a message.
package enum FrameError: Error, Equatable, Sendable {
    /// Not JSON (RFC 8259), or not UTF-8.
    case notJSON(JSONError)
    /// JSON, but not an object.
    case notAnObject
    /// An object without `type`.
    case missingType
    /// `type` is no string of 1 to 128 bytes, or holds control characters. Carries the `id`, where there was one.
    case invalidType(id: String?)
    /// `type` begins with `$`: it is the system's own, and no message for a handler. Carries the `id`, where there was one.
    case reservedType(String, id: String?)
    /// `id` is no string of 1 to 128 bytes, or holds control characters (U+0000 to U+001F, U+007F to U+009F).
    case invalidID

    /// The stable code of the reply.
    package var code: ErrorCode {
        switch self {
        case .notJSON: .notJSON
        case .notAnObject: .notAnObject
        case .missingType: .missingType
        case .invalidType, .reservedType: .invalidType
        case .invalidID: .invalidID
        }
    }

    /// One sentence for people.
    package var message: String {
        switch self {
        case .notJSON(let error): "The message is not JSON: \(error)."
        case .notAnObject: "A message is a JSON object."
        case .missingType: "A message has a \"type\"."
        case .invalidType, .reservedType:
            "A \"type\" is a string of 1 to \(FrameScanner.nameLimit) bytes without control characters that does not begin with \"$\"."
        case .invalidID: "An \"id\" is a string of 1 to \(FrameScanner.nameLimit) bytes without control characters."
        }
    }

    /// The `id` of the message, as far as it could be read.
    package var id: String? {
        switch self {
        case .invalidType(let id), .reservedType(_, let id): id
        case .notJSON, .notAnObject, .missingType, .invalidID: nil
        }
    }
}
