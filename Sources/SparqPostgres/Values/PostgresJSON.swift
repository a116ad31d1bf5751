/// JSON text, sent as `json` (which the server casts to `jsonb` when it is stored in such a column) without being parsed here.
public struct PostgresJSON: Sendable, Hashable {
    /// The text, in UTF-8.
    public var bytes: [UInt8]

    /// JSON text as it is.
    public init(bytes: [UInt8]) { self.bytes = bytes }
}

extension PostgresJSON: PostgresScalar {
    /// `json`.
    public static var postgresType: PostgresType { .json }
    /// `json[]`.
    public static var postgresArrayType: PostgresType { .jsonArray }

    /// The text itself; the server checks that it is JSON.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(bytes)
        return true
    }

    /// Reads `json`, `jsonb` or text.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> PostgresJSON {
        PostgresJSON(bytes: [UInt8](try value.textBytes(wanted: "PostgresJSON")))
    }
}
