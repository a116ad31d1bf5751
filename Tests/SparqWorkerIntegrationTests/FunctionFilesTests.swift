import SparqPostgres
import Testing

/// The files of `db/functions`, and databases that have the functions of the migrations alone, as all had before there were such files.
@Suite struct FunctionFilesTests {
    /// Functions whose text is newer than the last migration that has one.
    private static let changed: Set<String> = []

    /// What the database says of each function: its name, and its whole text with settings and comment by its arguments.
    private func functions(_ pool: PostgresPool) async throws -> [String: [String: String]] {
        let sql = """
            SELECT p.proname::text, oidvectortypes(p.proargtypes), pg_get_functiondef(p.oid) || '-- ' || obj_description(p.oid, 'pg_proc')
            FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = current_schema()
            """
        var functions: [String: [String: String]] = [:]
        for row in try await pool.query(sql) {
            let (name, arguments, text) = try row.decode(String.self, String.self, String?.self)
            let whole: String = try #require(text, "\(name) has no comment")
            functions[name, default: [:]][arguments] = whole
        }
        return functions
    }

    /// Makes the schema anew, by the migrations alone.
    private func startOver(_ stack: Stack) async throws {
        try await stack.pool.withConnection { connection in
            try await connection.script("DROP SCHEMA \(stack.schema) CASCADE; CREATE SCHEMA \(stack.schema)")
        }
        try await Stack.migrator(functions: false).apply(using: stack.pool)
    }

    @Test func eachHasTheTextThatTheMigrationsLeft() async throws {
        try await Stack.with { stack in
            try await startOver(stack)
            let before = try await functions(stack.pool)
            let applied = try await Stack.migrator().apply(using: stack.pool)
            let after = try await functions(stack.pool)
            #expect(applied.migrations.isEmpty && applied.functions.count == after.count && before.count >= 32)
            #expect(Set(applied.functions) == Set(after.keys), "a file for each function, and none of another's name")
            for (name, overloads) in before where !Self.changed.contains(name) { #expect(after[name] == overloads) }
        }
    }

    /// Commits of workers of the version before meet the replacement again and again.
    @Test func commitsGoOnWhileFunctionsAreReplaced() async throws {
        try await Stack.with { stack in
            try await startOver(stack)
            let (tasks, commits) = (4, 150)
            let sql = """
                SELECT heads FROM sparq_commit(
                    ARRAY['room:x'], ARRAY[1::bigint], ARRAY['room:x'], ARRAY[1::bigint], ARRAY[0::bigint], ARRAY['said'], ARRAY['{}'::bytea],
                    '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'
                )
                """
            let pool = stack.pool
            let heads = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<tasks {
                    group.addTask {
                        var heads: [Int] = []
                        for _ in 0..<commits { heads += try await pool.query(sql)[0].decode([Int].self) }
                        return heads
                    }
                }
                group.addTask {
                    for _ in 0..<20 {
                        try await pool.withConnection { try await $0.script("DROP TABLE IF EXISTS schema_functions") }
                        let applied = try await Stack.migrator().apply(using: pool)
                        #expect(applied.functions.contains("sparq_commit"))
                    }
                    return []
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(heads.sorted() == Array(1...tasks * commits))
        }
    }
}
