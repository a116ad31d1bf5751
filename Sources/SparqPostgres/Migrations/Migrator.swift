/// Applies the numbered SQL files of a folder, `0001_name.sql`, `0002_…`, each once and in a transaction of its own.
///
/// What was applied is recorded in the table `schema_migrations` of the connection's first schema, with the SHA-256 of the file.
/// A session-level advisory lock keeps processes apart that start together: one applies, the others wait and find nothing to do. A file
/// that was applied must stay as it is, and files may be added at the end alone.
public struct Migrator: Sendable {
    private let folder: MigrationFolder

    /// A migrator for a folder of files.
    public init(directory: String) { folder = MigrationFolder(directory: directory) }

    /// Applies what is pending.
    ///
    /// - Returns: the migrations that were applied now, in order.
    /// - Throws: ``PostgresError`` with the code `migration` where files and records do not fit together, naming the file, before
    ///   anything is changed; the server's error with ``PostgresError/file`` and ``PostgresError/line`` where a file fails, whose changes
    ///   are then rolled back, while those before it stay.
    @discardableResult
    public func apply(using pool: PostgresPool) async throws -> [Migration] {
        let migrations = try folder.load()
        return try await pool.withConnection { connection in
            let store = MigrationStore(connection: connection)
            try await store.lock()
            let applied: [Migration]
            do {
                applied = try await applyLocked(migrations, store)
            } catch {
                try? await store.unlock(statementTimeout: pool.configuration.statementTimeoutMilliseconds)
                throw error
            }
            try await store.unlock(statementTimeout: pool.configuration.statementTimeoutMilliseconds)
            return applied
        }
    }

    private func applyLocked(_ migrations: [Migration], _ store: MigrationStore) async throws -> [Migration] {
        try await store.createTable()
        let plan = MigrationPlan(
            migrations: migrations,
            checksums: try await store.checksums(of: migrations),
            records: try await store.records()
        )
        let pending = try plan.pending()
        for migration in pending { try await store.apply(migration) }
        return pending
    }

    /// Where each migration stands, those included whose files are gone. Changes nothing.
    public func status(using pool: PostgresPool) async throws -> [MigrationStatus] {
        let migrations = try folder.load()
        return try await pool.withConnection { connection in
            let store = MigrationStore(connection: connection)
            let records = try await store.hasTable() ? store.records() : []
            let checksums = try await store.checksums(of: migrations)
            return MigrationPlan(migrations: migrations, checksums: checksums, records: records).statuses()
        }
    }

    /// Writes an empty file with the next number.
    ///
    /// - Parameter name: letters a to z, digits and underscores.
    /// - Returns: the file's path.
    @discardableResult
    public func create(name: String) throws(PostgresError) -> String { try folder.create(name: name) }
}
