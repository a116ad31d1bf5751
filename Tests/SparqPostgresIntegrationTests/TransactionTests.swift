import SparqPostgres
import Testing

@Suite struct TransactionTests {
    private struct Oops: Error {}

    private func withTable(_ body: (PostgresPool, String) async throws -> Void) async throws {
        try await Database.withPool { pool in
            let table = Database.name()
            try await pool.query("CREATE TABLE \(table) (id int8 PRIMARY KEY, n int8 NOT NULL)")
            try await pool.query("INSERT INTO \(table) VALUES (1, 0), (2, 0)")
            try await body(pool, table)
            try await pool.query("DROP TABLE \(table)")
        }
    }

    @Test func whatThrowsLeavesNothing() async throws {
        try await withTable { pool, table in
            await #expect(throws: Oops.self) {
                try await pool.transaction { transaction in
                    try await transaction.query("UPDATE \(table) SET n = 1")
                    throw Oops()
                }
            }
            let sum = try await pool.query("SELECT sum(n)::int8 FROM \(table)")[0].decode(Int.self)
            #expect(sum == 0)
        }
    }

    @Test func aSwallowedErrorDoesNotCommitQuietly() async throws {
        try await withTable { pool, table in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction { transaction in
                    try await transaction.query("UPDATE \(table) SET n = 1")
                    _ = try? await transaction.query("SELECT 1/0")
                }
            }
            // What went wrong, and not its aftermath.
            #expect(error?.sqlState == "22012")
            let sum = try await pool.query("SELECT sum(n)::int8 FROM \(table)")[0].decode(Int.self)
            #expect(sum == 0)
        }
    }

    @Test func aTransactionEndsWithItsBody() async throws {
        try await withTable { pool, table in
            let escaped = try await pool.transaction { $0 }
            let error = await #expect(throws: PostgresError.self) { try await escaped.query("SELECT 1") }
            #expect(error?.code == .misuse)
        }
    }

    @Test func serializationFailuresAreRetried() async throws {
        try await withTable { pool, table in
            let runs = Counter()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<5 {
                            try await pool.transaction(isolation: .serializable, attempts: 100) { transaction in
                                runs.add()
                                let n = try await transaction.query("SELECT n FROM \(table) WHERE id = 1")[0].decode(Int.self)
                                // Long enough for all four to have read the same.
                                try await transaction.query("SELECT pg_sleep(0.005)")
                                try await transaction.query("UPDATE \(table) SET n = $1 WHERE id = 1", n + 1)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let n = try await pool.query("SELECT n FROM \(table) WHERE id = 1")[0].decode(Int.self)
            #expect(n == 20)
            #expect(runs.value > 20, "nothing was forced to retry")
        }
    }

    @Test func aSerializationFailureWithoutAttemptsLeftIsReported() async throws {
        try await withTable { pool, table in
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction(isolation: .repeatableRead, attempts: 1) { transaction in
                    try await transaction.query("SELECT FROM \(table)")
                    try await pool.query("UPDATE \(table) SET n = n + 1 WHERE id = 1")
                    try await transaction.query("UPDATE \(table) SET n = n + 1 WHERE id = 1")
                }
            }
            #expect(error?.sqlState == "40001" && error?.isRetryable == true)
        }
    }

    @Test func deadlocksAreRetried() async throws {
        try await withTable { pool, table in
            let runs = Counter()
            let first = Counter()
            let order = [[1, 2], [2, 1]]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for ids in order {
                    group.addTask {
                        try await pool.transaction { transaction in
                            runs.add()
                            try await transaction.query("UPDATE \(table) SET n = n + 1 WHERE id = $1", ids[0])
                            first.add()
                            try await eventually("both hold their first row") { first.value >= 2 }
                            try await transaction.query("UPDATE \(table) SET n = n + 1 WHERE id = $1", ids[1])
                        }
                    }
                }
                try await group.waitForAll()
            }
            let sum = try await pool.query("SELECT sum(n)::int8 FROM \(table)")[0].decode(Int.self)
            #expect(sum == 4 && runs.value > 2, "nothing was forced to retry")
        }
    }
}
