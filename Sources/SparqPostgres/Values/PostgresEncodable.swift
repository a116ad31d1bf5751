/// A value that can be a statement's parameter (`$1`, …). Travels in PostgreSQL's binary form, apart from the SQL text.
public protocol PostgresEncodable: Sendable {
    /// The parameter's type. Fixed, so that the server has nothing to guess; where a column has another type without an
    /// assignment cast, write the cast into the SQL, as in `$1::uuid`.
    static var postgresType: PostgresType { get }

    /// Writes the binary form.
    ///
    /// - Returns: false for NULL; then nothing was written.
    /// - Throws: ``PostgresError`` with the code `encoding` for what PostgreSQL cannot hold.
    func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool
}

/// A value that can be read from a result's column.
public protocol PostgresDecodable: Sendable {
    /// Reads one value.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding`, for NULL too unless the type is optional.
    static func decode(_ value: PostgresValue) throws(PostgresError) -> Self
}
