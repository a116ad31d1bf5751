/// All SQL of the migrator's functions.
struct FunctionStore {
    let migrations: MigrationStore

    private var connection: PostgresConnection { migrations.connection }

    private static let create = """
        CREATE TABLE IF NOT EXISTS schema_functions (
            name       text PRIMARY KEY,
            checksum   text NOT NULL,
            revision   bigint NOT NULL,
            arguments  text[] NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        );
        COMMENT ON TABLE schema_functions IS 'One row is a file of functions that was applied to this database: its name, and the SHA-256 of its text.';
        COMMENT ON COLUMN schema_functions.revision IS 'The latest revision of the files in which the text was this.';
        COMMENT ON COLUMN schema_functions.arguments IS 'The types of the arguments of each function that has the name.';
        """

    /// The functions of a name, as the database has them now: one element for each overload.
    private static func arguments(of name: String) -> String {
        """
        ARRAY(
            SELECT oidvectortypes(p.proargtypes) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = current_schema() AND p.proname = \(name)::name ORDER BY 1
        )
        """
    }

    private static let all = """
        SELECT f.name, f.checksum, f.revision, f.arguments <@ \(arguments(of: "f.name")) FROM schema_functions f ORDER BY f.name
        """

    private static let note = """
        INSERT INTO schema_functions AS known (name, checksum, revision, arguments)
        SELECT $1, encode(sha256($2), 'hex'), $3, \(arguments(of: "$1"))
        ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, revision = excluded.revision, arguments = excluded.arguments,
            applied_at = excluded.applied_at
        RETURNING cardinality(known.arguments) > 0
        """

    func createTable() async throws { try await connection.script(Self.create) }

    func hasTable() async throws -> Bool {
        try await connection.query("SELECT to_regclass('schema_functions') IS NOT NULL").first?.decode(Bool.self) ?? false
    }

    func records() async throws -> [FunctionPlan.Record] {
        try await connection.query(Self.all).map { row in
            let (name, checksum, revision, isThere) = try row.decode(String.self, String.self, Int.self, Bool.self)
            return FunctionPlan.Record(name: name, checksum: checksum, revision: revision, isThere: isThere)
        }
    }

    /// The files' checksums. Throws if the files are not those of their revision.
    func checksums(of content: FunctionFolder.Content) async throws -> [String] {
        let checksums = try await migrations.checksums(of: content.functions.map(\.sql))
        let list = zip(content.functions, checksums).map { "\($1)  \($0.file)\n" }.joined()
        guard try await migrations.checksums(of: [list]) == [content.revision.digest] else {
            throw MigrationPlan.error(
                FunctionFolder.revisionFile,
                "the files are not those of revision \(content.revision.number); a change needs a new revision"
            )
        }
        return checksums
    }

    /// Makes or replaces functions, and notes which revision of all of them the database has: all of it or nothing.
    func apply(_ functions: [FunctionFile], revision: Int, of all: [FunctionFile]) async throws {
        try await migrations.transaction {
            for function in functions {
                try await migrations.run(function.sql, of: function.file)
                let row = try await connection.query(Self.note, function.name, Array(function.sql.utf8), revision).first
                guard try row?.decode(Bool.self) == true else {
                    throw MigrationPlan.error(function.file, "the file does not make the function \(function.name)")
                }
            }
            try await connection.query("UPDATE schema_functions SET revision = $1 WHERE name = ANY ($2)", revision, all.map(\.name))
        }
    }
}
