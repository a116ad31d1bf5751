extension String: PostgresScalar {
    /// `text`.
    public static var postgresType: PostgresType { .text }
    /// `text[]`.
    public static var postgresArrayType: PostgresType { .textArray }

    /// UTF-8. PostgreSQL's text cannot hold the character U+0000, so that is refused here.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        guard !utf8.contains(0) else {
            throw PostgresError(.encoding, "a text parameter contains the character U+0000, which PostgreSQL cannot store")
        }
        writer.write(utf8)
        return true
    }

    /// Reads the text types, `json`, `jsonb`, `uuid` (in its usual form), enums and the like.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> String {
        if value.type == .uuid { return try uuid(value) }
        let bytes = try value.textBytes(wanted: "String")
        guard let text = String(validating: bytes, as: UTF8.self) else { throw value.malformed("UTF-8 text") }
        return text
    }

    private static func uuid(_ value: PostgresValue) throws(PostgresError) -> String {
        let bytes = try value.bytes
        guard bytes.count == 16 else { throw value.malformed("uuid") }
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
