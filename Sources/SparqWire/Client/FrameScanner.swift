/// Checks that a frame is a message, finds `type` and `id`, and leaves the rest as bytes.
public enum FrameScanner {
    /// Longest `type` and `id`, in bytes.
    public static let nameLimit = 128

    /// Scans one whole frame. The text must be one JSON object (RFC 8259), and nothing after it.
    ///
    /// `type` and `id` must not stand twice: a handler's decoder could see another one than the front did.
    public static func scan(_ bytes: UnsafeRawBufferPointer) throws(FrameError) -> Frame {
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
    public static func scan(_ bytes: some Collection<UInt8>) throws(FrameError) -> Frame {
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
