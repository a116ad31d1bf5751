/// What can run statements: a ``PostgresPool``, a ``PostgresTransaction``, or a ``PostgresConnection``.
public protocol PostgresExecutor: Sendable {
    /// Runs one statement.
    ///
    /// - Throws: ``PostgresError``, or `CancellationError` where the task is cancelled.
    func run(_ statement: Statement) async throws -> PostgresResult

    /// Runs several statements in one network round trip, with an outcome for each. What they share is the conformer's to say.
    ///
    /// - Throws: ``PostgresError`` where none was run, or `CancellationError`.
    func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>]
}

extension PostgresExecutor {
    /// Runs SQL with its parameters `$1`, `$2`, ….
    ///
    /// - Throws: ``PostgresError``, or `CancellationError` where the task is cancelled.
    @discardableResult
    public func query(_ sql: String, _ parameters: any PostgresEncodable...) async throws -> PostgresResult {
        try await run(Statement(sql, parameters: parameters))
    }

    /// The same, for the number of rows that it changed.
    @discardableResult
    public func execute(_ sql: String, _ parameters: any PostgresEncodable...) async throws -> Int {
        try await run(Statement(sql, parameters: parameters)).affectedRows
    }
}
