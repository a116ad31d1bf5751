import SparqPostgres
import Testing

@Suite struct StatementTests {
    @Test func resultsTellWhatHappened() async throws {
        try await Database.withPool { pool in
            let table = Database.name()
            try await pool.query("CREATE TABLE \(table) (id int8 PRIMARY KEY, word text)")
            let inserted = try await pool.query(
                "INSERT INTO \(table) SELECT * FROM unnest($1::int8[], $2::text[])",
                [1, 2, 3],
                ["a", nil, "c"] as [String?]
            )
            #expect(inserted.affectedRows == 3 && inserted.commandTag == "INSERT 0 3" && inserted.isEmpty)
            let rows = try await pool.query("SELECT id, word FROM \(table) ORDER BY id DESC")
            #expect(rows.columns == ["id", "word"] && rows.count == 3)
            #expect(try rows.map { try $0.decode(Int.self, String?.self).0 } == [3, 2, 1])
            #expect(try rows[1].decode(column: "word", as: String?.self) == nil)
            #expect(rows[0]["word"]?.isNull == false && rows[0]["other"] == nil)
            #expect(try await pool.execute("DELETE FROM \(table) WHERE id > $1", 1) == 2)
            try await pool.query("DROP TABLE \(table)")
        }
    }

    @Test func errorsNameTheCulpritAndHideTheValues() async throws {
        try await Database.withPool { pool in
            let table = Database.name()
            try await pool.query("CREATE TABLE \(table) (word text CONSTRAINT \(table)_key UNIQUE)")
            try await pool.query("INSERT INTO \(table) VALUES ($1)", "topsecret")
            let duplicate = try #require(
                await #expect(throws: PostgresError.self) { try await pool.query("INSERT INTO \(table) VALUES ($1)", "topsecret") }
            )
            #expect(duplicate.isUniqueViolation && duplicate.isConstraintViolation && !duplicate.isRetryable)
            #expect(duplicate.constraint == "\(table)_key" && duplicate.table == table)
            #expect(duplicate.detail?.contains("topsecret") == true && !duplicate.description.contains("topsecret"))
            let data = try #require(
                await #expect(throws: PostgresError.self) { try await pool.query("SELECT $1::int8", "topsecret") }
            )
            #expect(data.sqlState == "22P02" && !data.description.contains("topsecret") && data.debugDescription.contains("topsecret"))
            let syntax = try #require(await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1 FRO x") })
            #expect(syntax.sqlState == "42601" && syntax.position == 14)
            try await pool.query("DROP TABLE \(table)")
        }
    }

    @Test func preparedStatementsAreBoundedAndReused() async throws {
        var configuration = try Database.configuration()
        configuration.poolSize = 1
        configuration.statementCacheSize = 3
        try await Database.withPool(configuration) { pool in
            for turn in 0..<3 {
                for column in 0..<6 {
                    let row = try #require(try await pool.query("SELECT $1 AS c\(column)", turn * 10 + column).first)
                    #expect(try row.decode(Int.self) == turn * 10 + column)
                }
            }
            let held = try await pool.run(Statement("SELECT count(*) FROM pg_prepared_statements").unprepared())
            #expect(try held[0].decode(Int.self) == 3)
            // The same text with other types is another statement.
            #expect(try await pool.query("SELECT $1 AS c5", "text")[0].decode(String.self) == "text")
            // One pipeline with more statements than the cache holds.
            let outcomes = try await pool.pipeline((0..<9).map { Statement("SELECT \($0)::int8 AS p\($0)") })
            #expect(try outcomes.map { try $0.get()[0].decode(Int.self) } == Array(0..<9))
        }
    }

    @Test func aChangedTableDoesNotSpoilPreparedStatements() async throws {
        var configuration = try Database.configuration()
        configuration.poolSize = 1
        try await Database.withPool(configuration) { pool in
            let table = Database.name()
            try await pool.query("CREATE TABLE \(table) (a int8)")
            #expect(try await pool.query("SELECT * FROM \(table)").columns == ["a"])
            try await pool.query("ALTER TABLE \(table) ADD b text")
            #expect(try await pool.query("SELECT * FROM \(table)").columns == ["a", "b"])
            try await pool.query("ALTER TABLE \(table) ADD c text")
            #expect(try await pool.transaction { try await $0.query("SELECT * FROM \(table)").columns } == ["a", "b", "c"])
            try await pool.query("DEALLOCATE ALL")
            _ = try? await pool.query("SELECT * FROM \(table)")
            #expect(try await pool.query("SELECT * FROM \(table)").columns == ["a", "b", "c"])
            try await pool.query("DROP TABLE \(table)")
        }
    }

    @Test func copyIsRefusedAndHarmless() async throws {
        try await Database.withPool { pool in
            let error = await #expect(throws: PostgresError.self) { try await pool.run(Statement("COPY pg_class TO STDOUT").unprepared()) }
            let one = try await pool.query("SELECT 1")[0].decode(Int.self)
            #expect(error?.code == .unsupported && one == 1)
        }
    }

    @Test func largeRequestsAndAnswersDoNotBlockEachOther() async throws {
        try await Database.withPool { pool in
            let text = String(repeating: "abcdefgh", count: 100_000)
            let outcomes = try await pool.pipeline((0..<40).map { _ in Statement("SELECT $1", text) })
            #expect(try outcomes.allSatisfy { try $0.get()[0].decode(String.self) == text })
        }
    }
}
