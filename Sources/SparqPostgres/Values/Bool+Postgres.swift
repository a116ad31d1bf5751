extension Bool: PostgresScalar {
    /// `bool`.
    public static var postgresType: PostgresType { .bool }
    /// `bool[]`.
    public static var postgresArrayType: PostgresType { .boolArray }
    /// One byte.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(UInt8(self ? 1 : 0))
        return true
    }
    /// Reads a `bool`.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Bool {
        guard value.type == .bool else { throw value.mismatch("Bool") }
        return try value.fixed(UInt8.self) != 0
    }
}
