import SparqPostgres
import Testing

@Suite struct PipelineTests {
    private func withTable(_ body: (PostgresPool, String) async throws -> Void) async throws {
        try await Database.withPool { pool in
            let table = Database.name()
            try await pool.query("CREATE TABLE \(table) (id int8 PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, note text)")
            try await body(pool, table)
            try await pool.query("DROP TABLE \(table)")
        }
    }

    @Test func eachStatementIsItsOwnTransactionAndSeesTheOnesBefore() async throws {
        try await withTable { pool, table in
            let outcomes = try await pool.pipeline([
                Statement("INSERT INTO \(table) VALUES (1)"),
                Statement("SELECT count(*), pg_current_xact_id()::text FROM \(table)"),
                Statement("SELECT count(*), pg_current_xact_id()::text FROM \(table)"),
            ])
            let (count, first) = try outcomes[1].get()[0].decode(Int.self, String.self)
            let (_, second) = try outcomes[2].get()[0].decode(Int.self, String.self)
            #expect(count == 1 && first != second)
        }
    }

    @Test func aFailureInTheMiddleHindersNobody() async throws {
        try await withTable { pool, table in
            for _ in 0..<2 {
                let outcomes = try await pool.pipeline([
                    Statement("INSERT INTO \(table) VALUES (1) ON CONFLICT DO NOTHING").unprepared(),
                    Statement("SELECT 1/$1", 0),
                    Statement("SELECT nonsense"),
                    Statement("SELECT 7::int8"),
                ])
                #expect(throws: PostgresError.self) { _ = try outcomes[0].get() }  // no conflict target among deferrable keys
                #expect(outcomes[1].sqlState == "22012")
                #expect(outcomes[2].sqlState == "42703")
                #expect(try outcomes[3].get()[0].decode(Int.self) == 7)
            }
        }
    }

    @Test func aCommitThatFailsIsTheStatementsFailure() async throws {
        try await withTable { pool, table in
            try await pool.query("INSERT INTO \(table) VALUES (1)")
            let insert = "INSERT INTO \(table) VALUES ($1, $2)"
            for _ in 0..<2 {
                let outcomes = try await pool.pipeline([
                    Statement(insert, 1, "again"), Statement("SELECT count(*) FROM \(table)"), Statement(insert, 1, "again"),
                ])
                #expect(outcomes[0].sqlState == "23505")
                #expect(try outcomes[1].get()[0].decode(Int.self) == 1)
                #expect(outcomes[2].sqlState == "23505")
            }
            let alone = await #expect(throws: PostgresError.self) { try await pool.query(insert, 1, "again") }
            #expect(alone?.isUniqueViolation == true)
        }
    }

    @Test func nothingAsksForNothing() async throws {
        try await Database.withPool { pool in
            let outcomes = try await pool.pipeline([])
            #expect(outcomes.isEmpty)
        }
    }
}

extension Result where Success == PostgresResult, Failure == PostgresError {
    var sqlState: String? {
        if case .failure(let error) = self { error.sqlState } else { nil }
    }
}
