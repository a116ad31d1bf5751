import SparqPostgres

/// Whose SQL it is that failed.
enum AskedOfDatabase: Sendable {
    /// Sparq's own, well tried: what fails in it for everybody is not a message's fault.
    case own
    /// The same at its first try, for one message or many: what the server fails over is looked at alone, beside the others, before it is waited for.
    case ownAtFirst
    /// Sparq's own, behind a commit that stands: it must be answered, and there is nothing to take apart.
    case followUp
    /// A handler's or a policy's, perhaps with Sparq's own around it in one transaction.
    case handlers
}

/// What is to be done about an error of the database. With ``PostgresError/cause`` this is all that decides what is waited out.
///
/// | cause | Sparq's own SQL | a handler's SQL |
/// |---|---|---|
/// | conflict | again | again |
/// | outage | wait | wait |
/// | crowd | wait: others have all connections, and the database is none the worse | the same |
/// | slowness | wait: its own work is small, it waits for others' locks | the message is tried again later, which counts |
/// | defect | message by message, and wait a while for each that fails alone; then it is tried again later, which counts | wait a while, then the same |
/// | schema | wait; inside a handler's transaction a while, then it is tried again later; for good where the handler has changed its session | what an operator can mend is tried again later, for as long as it takes; the rest for good |
/// | data | for good | a value that cannot be stored is the message's fault, which its sender is told; the rest for good |
/// | usage | for good | for good |
enum DatabaseRemedy: Equatable, Sendable {
    /// Right away.
    case again
    /// For as long as it takes.
    case wait
    /// For as long as an outage may look like this, and then no more.
    case waitAWhile

    /// `nil` where trying again is not worth while.
    init?(_ cause: PostgresError.Cause, _ asked: AskedOfDatabase) {
        switch (cause, asked) {
        case (.conflict, _): self = .again
        case (.outage, _), (.crowd, _), (.defect, .followUp): self = .wait
        case (.defect, .own), (.defect, .handlers): self = .waitAWhile
        case (.defect, .ownAtFirst), (.slowness, .handlers), (.schema, .handlers), (.data, _), (.usage, _), (.shutdown, _): return nil
        case (.slowness, _), (.schema, _): self = .wait
        }
    }
}

/// A statement of Sparq's own met tables or privileges that are not as it expects, in the midst of a handler's work: the operator's mistake, unless the
/// handler has changed its transaction's session.
struct OwnStatementRefused: Error, CustomStringConvertible {
    let error: PostgresError
    /// What was asked inside of a handler's transaction.
    var statement: Statement?

    var description: String { "\(error)" }

    /// Marks what is Sparq's own in a handler's work.
    static func marked<Value>(_ statement: Statement? = nil, _ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as PostgresError where error.cause == .schema {
            throw OwnStatementRefused(error: error, statement: statement)
        } catch let error as PostgresError where error.isAboutValue {
            throw EffectRefused(error: error)
        }
    }

    /// Runs Sparq's own in a handler's transaction.
    static func run(_ statement: Statement, _ transaction: PostgresTransaction) async throws -> PostgresResult {
        try await marked(statement) { try await transaction.run(statement) }
    }

    /// Asks the same in another transaction of the same session, without the handler: what fails then too is not the handler's fault.
    static func explained(_ error: any Error, _ transaction: PostgresTransaction) async -> any Error {
        guard let refused = error as? OwnStatementRefused, let statement = refused.statement else { return error }
        // Behind a pooler another transaction has another session.
        if ["26000", "42P05"].contains(refused.error.sqlState) { return refused }
        do {
            _ = try await transaction.run(statement)
        } catch let error as PostgresError where error.cause == .data {
            // Such as a message that took effect before: the statement itself is taken.
        } catch {
            return refused
        }
        return SessionChanged(error: refused.error)
    }
}

/// A handler has left its transaction with a session in which Sparq's own statements fail, as by `SET LOCAL search_path` or `SET ROLE`.
struct SessionChanged: Error, CustomStringConvertible {
    let error: PostgresError

    var description: String { "the handler's transaction has changed its session, so that Sparq's own statement fails: \(error)" }
}

/// The database does not take what a handler wants written: no field of the message, as far as one can tell, but the handler's own fault.
struct EffectRefused: Error, CustomStringConvertible {
    let error: PostgresError

    var description: String { "\(error)" }
}
