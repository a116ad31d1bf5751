/// A part of a pool: whoever works by way of it holds so many of the pool's connections at once, and no more. So others always find one.
///
/// Waiting for one's turn has no limit of its own, and is no trouble of the database's: cancel the task.
public final class PostgresShare: PostgresExecutor {
    private let pool: PostgresPool
    private let permits: Permits

    /// A part of so many connections.
    public init(of pool: PostgresPool, connections: Int) {
        self.pool = pool
        permits = Permits(connections)
    }

    /// As ``PostgresPool/run(_:)``.
    public func run(_ statement: Statement) async throws -> PostgresResult {
        try await permits.take().during { try await pool.run(statement) }
    }

    /// As ``PostgresPool/pipeline(_:)``.
    public func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] {
        try await permits.take().during { try await pool.pipeline(statements) }
    }

    /// As ``PostgresPool/transaction(isolation:attempts:_:)``.
    public func transaction<Value>(_ body: (PostgresTransaction) async throws -> Value) async throws -> Value {
        try await permits.take().during { try await pool.transaction(body) }
    }
}
