/// Applies the numbered SQL files of a folder, `0001_name.sql`, `0002_…`, each once and in a transaction of its own, and then the functions of another.
///
/// **Migrations.** What was applied is recorded in the table `schema_migrations` of the connection's first schema, with the SHA-256 of the file. A file
/// that was applied must stay as it is, and files may be added at the end alone.
///
/// **Functions.** The folder of functions has the current text of each, `NAME.sql` with `CREATE OR REPLACE FUNCTION NAME`, and `REVISION`, the number of
/// which is raised with every change. Those whose text the database does not have yet are applied after the migrations, all in one transaction, and
/// recorded in the table `schema_functions`. Files whose revision or last migration is below the database's leave all functions alone: so an older
/// version never puts an older text back. A function that is recorded, but no longer there, is made again.
///
/// A session-level advisory lock keeps processes apart that start together: one applies, the others wait and find nothing to do.
public struct Migrator: Sendable {
    /// What was applied, in order.
    public struct Applied: Sendable {
        /// The migrations.
        public var migrations: [Migration] = []
        /// The names of the functions that were made or replaced.
        public var functions: [String] = []
        /// Those of the functions that the database had lost.
        public var restored: [String] = []

        /// Whether nothing was applied.
        public var isEmpty: Bool { migrations.isEmpty && functions.isEmpty }
    }

    /// Where all files stand in a database.
    public struct Status: Sendable {
        /// The migrations, in order.
        public var migrations: [MigrationStatus]
        /// The functions, by name.
        public var functions: [FunctionStatus] = []
    }

    private let migrations: MigrationFolder
    private let functions: FunctionFolder?

    /// A migrator for a folder of files.
    ///
    /// - Parameter functions: The folder of functions; `nil` leaves functions alone.
    public init(directory: String, functions: String? = nil) {
        migrations = MigrationFolder(directory: directory)
        self.functions = functions.map { FunctionFolder(directory: $0) }
    }

    /// Applies what is pending.
    ///
    /// - Throws: ``PostgresError`` with the code `migration` where files and records do not fit together, naming the file, before
    ///   anything is changed; the server's error with ``PostgresError/file`` and ``PostgresError/line`` where a file fails. A migration's changes
    ///   are then rolled back, while those before it stay; of functions none is changed.
    @discardableResult
    public func apply(using pool: PostgresPool) async throws -> Applied {
        let (files, contents) = (try migrations.load(), try functions?.load())
        return try await pool.withConnection { connection in
            let store = MigrationStore(connection: connection)
            try await store.lock()
            let applied: Applied
            do {
                applied = try await applyLocked(files, contents, store)
            } catch {
                try? await store.unlock(statementTimeout: pool.configuration.statementTimeoutMilliseconds)
                throw error
            }
            try await store.unlock(statementTimeout: pool.configuration.statementTimeoutMilliseconds)
            return applied
        }
    }

    private func applyLocked(_ files: [Migration], _ contents: FunctionFolder.Content?, _ store: MigrationStore) async throws -> Applied {
        try await store.createTable()
        let plan = try await plan(files, store, hasRecords: true)
        let pending = try plan.pending()
        guard let contents else {
            for migration in pending { try await store.apply(migration) }
            return Applied(migrations: pending)
        }
        let functionStore = FunctionStore(migrations: store)
        try await functionStore.createTable()
        let functionPlan = try await self.plan(contents, functionStore, behind: plan, hasRecords: true)
        let replaced = try functionPlan.pending()
        for migration in pending { try await store.apply(migration) }
        if !replaced.isEmpty || functionPlan.isNew {
            try await functionStore.apply(replaced.map(\.function), revision: functionPlan.revision, of: functionPlan.functions)
        }
        return Applied(
            migrations: pending,
            functions: replaced.map(\.function.name),
            restored: replaced.filter(\.isGone).map(\.function.name)
        )
    }

    private func plan(_ files: [Migration], _ store: MigrationStore, hasRecords: Bool) async throws -> MigrationPlan {
        MigrationPlan(
            migrations: files,
            checksums: try await store.checksums(of: files.map(\.sql)),
            records: hasRecords ? try await store.records() : []
        )
    }

    private func plan(_ contents: FunctionFolder.Content, _ store: FunctionStore, behind migrations: MigrationPlan, hasRecords: Bool)
        async throws -> FunctionPlan
    {
        FunctionPlan(
            functions: contents.functions,
            checksums: try await store.checksums(of: contents),
            revision: contents.revision.number,
            records: hasRecords ? try await store.records() : [],
            isMigrationBehind: migrations.isBehind
        )
    }

    /// Where each migration and each function stands, those included whose files are gone. Changes nothing.
    public func status(using pool: PostgresPool) async throws -> Status {
        let (files, contents) = (try migrations.load(), try functions?.load())
        return try await pool.withConnection { connection in
            let store = MigrationStore(connection: connection)
            let plan = try await plan(files, store, hasRecords: try await store.hasTable())
            guard let contents else { return Status(migrations: plan.statuses()) }
            let functionStore = FunctionStore(migrations: store)
            let hasRecords = try await functionStore.hasTable()
            let functionPlan = try await self.plan(contents, functionStore, behind: plan, hasRecords: hasRecords)
            return Status(migrations: plan.statuses(), functions: functionPlan.statuses())
        }
    }

    /// Writes an empty file with the next number.
    ///
    /// - Parameter name: letters a to z, digits and underscores.
    /// - Returns: the file's path.
    @discardableResult
    public func create(name: String) throws(PostgresError) -> String { try migrations.create(name: name) }
}
