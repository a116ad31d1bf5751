/// A value that can be read from a result's column.
public protocol PostgresDecodable: Sendable {
    /// Reads one value.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, for NULL too unless the type is optional.
    static func decode(_ value: PostgresValue) throws(PostgresError) -> Self
}
