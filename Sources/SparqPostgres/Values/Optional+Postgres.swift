extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    /// The wrapped type's.
    public static var postgresType: PostgresType { Wrapped.postgresType }

    /// NULL for nil.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        guard let self else { return false }
        return try self.encode(into: &writer)
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    /// nil for NULL.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Wrapped? {
        value.isNull ? nil : try Wrapped.decode(value)
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresScalar {
    /// The wrapped type's array.
    public static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

    /// Writes an array in which nil is NULL.
    public static func encodeArray(_ elements: [Wrapped?], into writer: inout ParameterWriter) throws(PostgresError) {
        try ArrayFormat.encode(elements, of: Wrapped.postgresType, into: &writer)
    }

    /// Reads an array in which NULL is nil.
    public static func decodeArray(_ value: PostgresValue) throws(PostgresError) -> [Wrapped?] {
        try ArrayFormat.decode(value, of: Wrapped?.self)
    }
}
