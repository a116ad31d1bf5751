package import SparqPostgres

/// A handler asked for the database where there is none: in a test without one.
public struct DatabaseMissing: Error, CustomStringConvertible {
    package init() {}

    /// One sentence.
    public var description: String { "The handler needs a database, and this test has none." }
}

/// Stands where a database would; refuses every statement.
package struct NoDatabase: PostgresExecutor {
    package init() {}

    package func run(_ statement: Statement) async throws -> PostgresResult { throw DatabaseMissing() }

    package func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] { throw DatabaseMissing() }
}
