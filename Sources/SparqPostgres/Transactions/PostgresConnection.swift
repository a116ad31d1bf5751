import Synchronization

/// One connection, lent by ``PostgresPool/withConnection(_:)``, for what has to stay on one session. Requests of several tasks are
/// done one after the other. What is set on the session (`SET`, advisory locks) stays set for its next user: undo it.
public struct PostgresConnection: PostgresExecutor {
    let thread: ConnectionThread
    let validity: Validity

    /// Runs one statement.
    public func run(_ statement: Statement) async throws -> PostgresResult {
        try await outcomes(of: .separate([statement])).single().get()
    }

    /// One flush and one round trip; a synchronization point after each statement, so outside of a transaction block each is its
    /// own transaction, sees what those before it committed, and does not care whether they failed.
    public func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] {
        statements.isEmpty ? [] : try await outcomes(of: .separate(statements))
    }

    /// Runs SQL text of one or more statements, without parameters; several are one transaction unless the text says otherwise.
    /// Never put values into it.
    public func script(_ sql: String) async throws {
        try await script(sql, isUnlimited: false)
    }

    func script(_ sql: String, isUnlimited: Bool) async throws {
        guard !sql.utf8.contains(0) else { throw PostgresError(.encoding, "the SQL text contains the character U+0000") }
        for outcome in try await outcomes(of: Request(work: .script(sql), isUnlimited: isUnlimited)) { _ = try outcome.get() }
    }

    /// Hands a request to the connection's thread.
    func outcomes(of request: Request) async throws -> [StatementOutcome] {
        guard validity.isValid else { throw PostgresError(.misuse, "the connection was used after it had been given back") }
        try Task.checkCancellation()
        switch await thread.run(request) {
        case .finished(_, let prologue?): throw prologue
        case .finished(let outcomes, nil): return outcomes
        case .cancelled: throw CancellationError()
        case .failed(let error): throw error
        }
    }
}

extension [StatementOutcome] {
    /// The outcome of a request with one statement.
    func single() throws(PostgresError) -> StatementOutcome {
        guard let first else { throw PostgresError(.connectionLost, "the server gave no answer to a statement") }
        return first
    }
}

/// Whether a lent connection may still be used.
final class Validity: Sendable {
    private let flag = Atomic(true)

    var isValid: Bool { flag.load(ordering: .acquiring) }

    func end() { flag.store(false, ordering: .releasing) }
}
