/// What a connection's thread is asked to do, in one go and with one answer.
struct Request: Sendable {
    /// How the statements belong together.
    enum Grouping: Sendable {
        /// A synchronization point after each: outside of a transaction block each is its own transaction.
        case separate
        /// One synchronization point at the end: what follows a failed statement is not run.
        case together
    }

    enum Work: Sendable {
        case statements([Statement], Grouping)
        /// SQL text of any number of statements, by the simple protocol. Rows are thrown away.
        case script(String)
    }

    /// Run first, in the same group as the first statement: BEGIN.
    var prologue: String?
    var work: Work
    /// Whether the connection's statement timeout counts; a migration may take as long as it needs.
    var isUnlimited = false

    static func separate(_ statements: [Statement]) -> Request { Request(work: .statements(statements, .separate)) }
}

/// One statement's result.
typealias StatementOutcome = Result<PostgresResult, PostgresError>

/// How a request ended.
enum RequestOutcome: Sendable {
    /// One outcome per statement; for a script none where it succeeded. `prologue` is what BEGIN failed with.
    case finished([StatementOutcome], prologue: PostgresError?)
    /// The task that wanted it was cancelled; the connection is gone.
    case cancelled
    /// It did not run as a whole.
    case failed(PostgresError)
}
