import Logging
import SparqPostgres

/// The harness's own connections.
enum Database {
    static func withPool<Value: Sendable>(at url: String, _ body: @Sendable (PostgresPool) async throws -> Value) async throws -> Value {
        var configuration = try PostgresConfiguration(url: url)
        configuration.poolSize = 3
        configuration.applicationName = "sparq-chaos"
        configuration.acquireTimeout = .seconds(60)
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "chaos", factory: { _ in SwiftLogNoOpLogHandler() }))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            defer { group.cancelAll() }
            return try await body(pool)
        }
    }
}
