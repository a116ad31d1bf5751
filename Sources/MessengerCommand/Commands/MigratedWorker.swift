import FaultLog
import Logging
import SparqPostgres
import ServiceLifecycle
import SparqWorker

/// Applies what migrations and functions are pending, as soon as the database answers, and then works.
struct MigratedWorker: Service {
    let worker: Worker
    let database: PostgresConfiguration
    /// `nil` where somebody else applies them.
    let migrator: Migrator?
    let logger: Logger

    func run() async throws {
        if let migrator {
            try await cancelWhenGracefulShutdown { try await migrate(migrator) }
            if Task.isShuttingDownGracefully { return }
        }
        try await worker.run()
    }

    private func migrate(_ migrator: Migrator) async throws {
        let faults = FaultLog(logger)
        // One pool for all attempts: it says once that the database is away.
        try await PostgresPool.with(database, logger: logger) { pool in
            while !Task.isCancelled {
                do {
                    tell(try await migrator.apply(using: pool))
                    tell(try await migrator.status(using: pool))
                    return
                } catch let error as PostgresError where error.mayPass || error.isNotAllowed {
                    // What failed was rolled back as a whole.
                    faults.occurred(
                        FaultLog.single,
                        level: error.isNotAllowed ? .error : .warning,
                        "waiting for the database",
                        metadata: error.isNotAllowed ? ["error": "\(error)", "advice": "\(error.advice)"] : ["error": "\(error)"]
                    )
                    // The pool waits, with backoff, for a server that is away, but not for one that answers with an error.
                    try? await Task.sleep(for: .milliseconds(500))
                } catch is CancellationError {
                    return
                }
            }
        }
    }

    private func tell(_ applied: Migrator.Applied) {
        for migration in applied.migrations { logger.info("migration applied", metadata: ["file": "\(migration.file)"]) }
        if !applied.functions.isEmpty {
            logger.info("functions applied", metadata: ["functions": "\(applied.functions.joined(separator: " "))"])
        }
        if !applied.restored.isEmpty {
            logger.warning(
                "the database had lost functions, they are there again",
                metadata: ["functions": "\(applied.restored.joined(separator: " "))"]
            )
        }
    }

    private func tell(_ status: Migrator.Status) {
        if let last = status.migrations.last, last.state == .newer {
            logger.notice(
                "the database has been migrated by a newer version, and this worker goes on with it",
                metadata: ["migration": "\(last.version)_\(last.name)"]
            )
        } else if status.functions.contains(where: { $0.state == .newer }) {
            logger.notice("the database has functions of a newer version, and this worker goes on with them")
        }
    }
}

extension PostgresError {
    /// The migrations cannot run with the rights, or in the place, that the worker has: no fault of theirs.
    fileprivate var isNotAllowed: Bool { code == .server && ["42501", "3F000", "26000", "42P05"].contains(sqlState) }
}

extension PostgresPool {
    /// Runs a body with a pool that lives as long as it.
    static func with<Result: Sendable>(
        _ configuration: PostgresConfiguration,
        logger: Logger,
        _ body: @Sendable (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = PostgresPool(configuration: configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            defer { group.cancelAll() }
            return try await body(pool)
        }
    }
}
