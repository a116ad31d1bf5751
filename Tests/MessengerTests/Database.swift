import Foundation
import Logging
import Sparq
import SparqTesting

@testable import Messenger

/// The server that tests with a database use: `SPARQ_TEST_POSTGRES_URL`. Each test has a schema of its own in it.
struct Database: Sendable {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "SPARQ_TEST_POSTGRES_URL is not set: these tests need a PostgreSQL server" }
    }

    let pool: PostgresPool
    let tester: HandlerTester

    private static let files = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../db").path()

    /// Lends a database with all migrations applied, and a messenger on it; removes it afterwards.
    static func lent<Value>(
        passwords: PasswordHasher = .cheap(),
        _ body: (Database) async throws -> Value
    ) async throws -> Value {
        guard let url = ProcessInfo.processInfo.environment["SPARQ_TEST_POSTGRES_URL"] else { throw Missing() }
        let schema = "messenger_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
        return try await running(url) { admin in
            _ = try await admin.run(Statement("CREATE SCHEMA \(schema)").unprepared())
            do {
                let own = url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
                let value = try await running(own) { pool in
                    try await Migrator(directory: "\(files)/migrations", functions: "\(files)/functions").apply(using: pool)
                    return try await body(Database(pool: pool, tester: HandlerTester(.messenger(passwords), database: pool)))
                }
                _ = try await admin.run(Statement("DROP SCHEMA \(schema) CASCADE").unprepared())
                return value
            } catch {
                _ = try? await admin.run(Statement("DROP SCHEMA \(schema) CASCADE").unprepared())
                throw error
            }
        }
    }

    private static func running<Value>(_ url: String, _ body: (PostgresPool) async throws -> Value) async throws -> Value {
        var configuration = try PostgresConfiguration(url: url)
        configuration.acquireTimeout = .seconds(60)
        var logger = Logger(label: "test")
        logger.logLevel = .warning
        let pool = PostgresPool(configuration: configuration, logger: logger)
        let task = Task { try await pool.run() }
        let result: Result<Value, any Error>
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        task.cancel()
        try await task.value
        return try result.get()
    }

    /// Makes accounts, with the password `password`.
    func register(_ users: String...) async throws {
        for user in users {
            let outcome = try await tester.send("auth.register", #"{"user":"\#(user)","password":"password"}"#, id: user)
            if let refusal = outcome.refusal { throw refusal }
        }
    }

    /// Writes into the log what the effects of an outcome would have written.
    func log(_ outcome: Outcome) async throws {
        for event in try outcome.appended { try await log(event) }
    }

    /// Writes an event into the log.
    func log(_ event: AppendedEvent) async throws {
        let sql = """
            WITH head AS (
                INSERT INTO topics AS t (topic, seq) VALUES ($1, 1) ON CONFLICT (topic) DO UPDATE SET seq = t.seq + 1 RETURNING seq
            )
            INSERT INTO events (topic, seq, at, type, data)
            SELECT $1, seq, '2026-01-31T12:00:00Z'::timestamptz + seq * interval '1 ms', $2, $3 FROM head
            """
        try await pool.execute(sql, event.topic.rawValue, event.type, event.data)
    }

    /// How many rows a table has.
    func count(_ table: String) async throws -> Int {
        try await pool.run(Statement("SELECT count(*) FROM \(table)").unprepared()).first?.decode(Int.self) ?? 0
    }
}

extension PasswordHasher {
    /// Hashes in no time, for tests of other things.
    static func cheap(threads: Int = 2, waiting: Int = 1000) -> PasswordHasher {
        PasswordHasher(threads: threads, waiting: waiting, parameters: .init(logRounds: 4, blockSize: 8, parallelism: 1))
    }
}

extension Router {
    static func messenger(_ passwords: PasswordHasher = .cheap()) -> Router {
        var router = Router()
        Messenger.register(on: &router, passwords: passwords)
        return router
    }
}
