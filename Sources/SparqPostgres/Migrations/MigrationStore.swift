/// All SQL of the migrator.
struct MigrationStore {
    let connection: PostgresConnection

    /// The key of the advisory lock that keeps migrators apart: the letters "migrates" as a number.
    private static let lock = 0x6D69_6772_6174_6573

    private static let create = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    bigint PRIMARY KEY,
            name       text NOT NULL,
            checksum   text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        COMMENT ON TABLE schema_migrations IS
            'One row is a migration that was applied to this database: its number, name, and the SHA-256 of its file at that time.';
        """

    private static let insert = """
        INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, encode(sha256($3), 'hex'))
        """

    /// Waits, without a time limit, until no other process migrates this database.
    func lock() async throws {
        try await connection.script("SET statement_timeout = 0", isUnlimited: true)
        try await connection.script("SELECT pg_advisory_lock(\(Self.lock))", isUnlimited: true)
    }

    /// Gives the lock back, also in a cancelled task.
    func unlock(statementTimeout milliseconds: Int64) async throws {
        let connection = connection
        try await Task {
            try await connection.script("SELECT pg_advisory_unlock(\(Self.lock)); SET statement_timeout = \(milliseconds)")
        }.value
    }

    func createTable() async throws { try await connection.script(Self.create) }

    func hasTable() async throws -> Bool {
        try await connection.query("SELECT to_regclass('schema_migrations') IS NOT NULL").first?.decode(Bool.self) ?? false
    }

    func records() async throws -> [MigrationPlan.Record] {
        try await connection.query("SELECT version, name, checksum, applied_at FROM schema_migrations ORDER BY version").map { row in
            let (version, name, checksum, time) = try row.decode(Int.self, String.self, String.self, PostgresTimestamp.self)
            return MigrationPlan.Record(version: version, name: name, checksum: checksum, appliedAt: time)
        }
    }

    /// The SHA-256 of each text, in hexadecimal digits.
    func checksums(of texts: [String]) async throws -> [String] {
        try await connection.query(
            "SELECT encode(sha256(file), 'hex') FROM unnest($1::bytea[]) WITH ORDINALITY AS files (file, place) ORDER BY place",
            texts.map { Array($0.utf8) }
        ).map { try $0.decode(String.self) }
    }

    /// Applies one migration and records it, in one transaction.
    func apply(_ migration: Migration) async throws {
        do {
            try await transaction {
                try await run(migration.sql, of: migration.file)
                try await connection.query(Self.insert, migration.version, migration.name, Array(migration.sql.utf8))
            }
        } catch {
            throw Self.located(error, in: migration.file)
        }
    }

    /// Runs a body in a transaction, which what it throws undoes.
    func transaction(_ body: () async throws -> Void) async throws {
        try await connection.script("BEGIN")
        do {
            try await body()
            try await connection.script("COMMIT", isUnlimited: true)
        } catch {
            let connection = connection
            await Task { try? await connection.script("ROLLBACK") }.value
            throw error
        }
    }

    /// Runs the text of a file in the transaction, for as long as it takes.
    func run(_ sql: String, of file: String) async throws {
        do {
            try await connection.script(sql, isUnlimited: true)
        } catch {
            throw Self.located(error, in: file, sql)
        }
        guard connection.thread.isInTransaction else {
            throw MigrationPlan.error(file, "the file ends the transaction that it runs in: leave COMMIT and ROLLBACK out")
        }
    }

    /// Adds the file, and the line that the server's position in its text means.
    private static func located(_ error: any Error, in file: String, _ sql: String? = nil) -> any Error {
        guard var error = error as? PostgresError, error.file == nil else { return error }
        error.file = file
        if let sql, let position = error.position {
            error.line = 1 + sql.unicodeScalars.prefix(max(0, position - 1)).count { $0 == "\n" }
        }
        return error
    }
}
