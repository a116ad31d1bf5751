/// What a Swift array must hold to be a parameter or a column: a ``PostgresScalar`` or an optional of one for a one-dimensional
/// PostgreSQL array, or `UInt8` for `bytea`.
public protocol PostgresArrayElement: Sendable {
    /// The type of an array of these.
    static var postgresArrayType: PostgresType { get }

    /// Writes an array's binary form.
    static func encodeArray(_ elements: [Self], into writer: inout ParameterWriter) throws(PostgresError)

    /// Reads an array.
    static func decodeArray(_ value: PostgresValue) throws(PostgresError) -> [Self]
}

extension PostgresArrayElement where Self: PostgresScalar {
    /// Dimensions, a flag for NULLs, the element's type, then each element after its length.
    public static func encodeArray(_ elements: [Self], into writer: inout ParameterWriter) throws(PostgresError) {
        try ArrayFormat.encode(elements, of: Self.postgresType, into: &writer)
    }

    /// Reads a one-dimensional array without NULLs.
    public static func decodeArray(_ value: PostgresValue) throws(PostgresError) -> [Self] {
        try ArrayFormat.decode(value, of: Self.self)
    }
}
