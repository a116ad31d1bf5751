import Synchronization

/// One transaction, lent by ``PostgresPool/transaction(isolation:attempts:_:)``. BEGIN travels with its first statement, so it costs
/// no round trip, and a transaction without statements costs nothing.
public final class PostgresTransaction: PostgresExecutor {
    private struct State {
        var hasBegun = false
        var isOver = false
        var firstFailure: PostgresError?
    }

    private let thread: ConnectionThread
    private let isolation: PostgresIsolation
    private let state = Mutex(State())

    init(thread: ConnectionThread, isolation: PostgresIsolation) {
        self.thread = thread
        self.isolation = isolation
    }

    /// Runs one statement. After a failed one PostgreSQL refuses all others until the transaction ends.
    public func run(_ statement: Statement) async throws -> PostgresResult {
        try await pipeline([statement]).single().get()
    }

    /// Runs several statements in one round trip; those after a failed one are not run (`pipelineAborted`).
    public func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] {
        if statements.isEmpty { return [] }
        for statement in statements { if let failure = statement.failure { throw failure } }
        try Task.checkCancellation()
        let isFirst: Bool? = state.withLock { state in
            if state.isOver { return nil }
            defer { state.hasBegun = true }
            return !state.hasBegun
        }
        guard let isFirst else { throw PostgresError(.misuse, "the transaction was used after its end") }
        let request = Request(prologue: isFirst ? isolation.begin : nil, work: .statements(statements, .together))
        switch await thread.run(request) {
        case .finished(let outcomes, let prologue):
            if let prologue { throw noted(prologue, isFirst: isFirst) }
            return outcomes.map { $0.mapError { noted($0, isFirst: isFirst) } }
        case .cancelled: throw CancellationError()
        case .failed(let error): throw noted(error, isFirst: isFirst)
        }
    }

    /// Before its commit a transaction that loses its connection has certainly not happened.
    private func noted(_ error: PostgresError, isFirst: Bool) -> PostgresError {
        var error = error
        error.isOutcomeUnknown = false
        if !isFirst { error.isUnsent = false }
        state.withLock { if $0.firstFailure == nil { $0.firstFailure = error } }
        return error
    }

    /// The first thing that went wrong, also where the body went on regardless.
    var firstFailure: PostgresError? { state.withLock { $0.firstFailure } }

    func commit() async throws {
        guard end() else { return }
        let outcomes: [StatementOutcome]
        switch await thread.run(Request(work: .statements([Statement("COMMIT").unprepared()], .separate))) {
        case .finished(let finished, _): outcomes = finished
        case .cancelled: throw CancellationError()
        case .failed(var error):
            // The COMMIT was never sent, so nothing happened; but statements ran, so this is no free retry.
            error.isUnsent = false
            throw error
        }
        let result = try outcomes.single().get()
        if result.commandTag == "ROLLBACK" {
            throw PostgresError(.transactionAborted, "a statement of the transaction had failed, so it was rolled back")
        }
    }

    /// Rolls back, also in a cancelled task. Failing that, the connection is not used again.
    func rollback() async {
        guard end() else { return }
        let thread = thread
        // A task of its own: cancelling the caller must not cancel the cleaning up.
        await Task { _ = await thread.run(Request(work: .statements([Statement("ROLLBACK").unprepared()], .separate))) }.value
    }

    /// No more statements; says whether there is anything to commit or roll back.
    private func end() -> Bool {
        state.withLock { state in
            defer { state.isOver = true }
            return state.hasBegun && !state.isOver
        }
    }
}

/// How much a transaction sees of others
/// ([Transaction Isolation](https://www.postgresql.org/docs/15/transaction-iso.html)).
public enum PostgresIsolation: Sendable, Hashable {
    /// Each statement sees what was committed before it began.
    case readCommitted
    /// All statements see what was committed before the first. Writes can fail with 40001.
    case repeatableRead
    /// As if transactions ran one after the other. Everything can fail with 40001.
    case serializable

    var begin: String {
        switch self {
        case .readCommitted: "BEGIN ISOLATION LEVEL READ COMMITTED"
        case .repeatableRead: "BEGIN ISOLATION LEVEL REPEATABLE READ"
        case .serializable: "BEGIN ISOLATION LEVEL SERIALIZABLE"
        }
    }
}
