/// What an error reply says: a code for programs, and a sentence for people.
package struct ErrorBody: Equatable, Sendable {
    /// Programs act on it.
    package var code: ErrorCode
    /// One sentence for people.
    package var message: String

    /// An error of its parts.
    package init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Appends `{"code":…,"message":…}`.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"code\":")
        writer.string(code.rawValue)
        writer.raw(",\"message\":")
        writer.string(message)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads the object that comes next. The code must be there; the sentence may be missing.
    init(decoding cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var code: String?
        var message: String?
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            if JSONCursor.matches(key, "code", in: bytes) {
                code = try cursor.text(in: bytes)
            } else if JSONCursor.matches(key, "message", in: bytes) {
                message = try cursor.optionalText(in: bytes)
            } else {
                try cursor.skipValue(depth: 2)
            }
        }
        guard let code else { throw JSONError(.missingKey, at: cursor.position) }
        self.init(ErrorCode(rawValue: code), message ?? "")
    }
}
