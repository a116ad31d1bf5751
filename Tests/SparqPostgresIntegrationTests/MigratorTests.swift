import Foundation
import SparqPostgres
import Testing

@Suite struct MigratorTests {
    /// A database and a folder of its own.
    private func withDatabase(
        _ files: [String: String],
        _ body: (PostgresConfiguration, String) async throws -> Void
    ) async throws {
        let name = Database.name("migrate")
        let folder = "/tmp/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (file, text) in files { try Self.write(text, "\(folder)/\(file)") }
        try await Database.withPool { pool in
            try await pool.query("CREATE DATABASE \(name)")
            var address = try #require(URLComponents(string: try Database.url))
            address.path = "/\(name)"
            do {
                try await body(try PostgresConfiguration(url: try #require(address.string)), folder)
            } catch {
                try await pool.query("DROP DATABASE \(name) WITH (FORCE)")
                throw error
            }
            try await pool.query("DROP DATABASE \(name) WITH (FORCE)")
        }
    }

    private static func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private let good = [
        "0001_users.sql": "CREATE TABLE users (id int8); COMMENT ON TABLE users IS 'é';\nINSERT INTO users VALUES (1);",
        "0002_more.sql": "SELECT pg_sleep(0.2);\nINSERT INTO users VALUES (2);", "notes.txt": "none of ours",
    ]

    @Test func tenProcessesTogetherApplyEachOnce() async throws {
        try await withDatabase(good) { configuration, folder in
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await Database.withPool(configuration) { pool in
                            try await Migrator(directory: folder).apply(using: pool).map(\.version)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == [1, 2])
            try await Database.withPool(configuration) { pool in
                let users = try await pool.query("SELECT id FROM users ORDER BY id").map { try $0.decode(Int.self) }
                let states = try await Migrator(directory: folder).status(using: pool).map(\.state)
                let comment = try await pool.query("SELECT obj_description('schema_migrations'::regclass)")[0].decode(String.self)
                #expect(users == [1, 2] && states == [.applied, .applied] && !comment.isEmpty)
            }
        }
    }

    @Test func anEditedFileIsRefusedByName() async throws {
        try await withDatabase(good) { configuration, folder in
            try await Database.withPool(configuration) { pool in
                let migrator = Migrator(directory: folder)
                let before = try await migrator.status(using: pool).map(\.state)
                #expect(before == [.pending, .pending])
                try await migrator.apply(using: pool)
                let again = try await migrator.apply(using: pool)
                #expect(again.isEmpty)
                try Self.write("SELECT 1;", "\(folder)/0001_users.sql")
                try Self.write("CREATE TABLE third ();", "\(folder)/0003_third.sql")
                let error = await #expect(throws: PostgresError.self) { try await migrator.apply(using: pool) }
                #expect(error?.code == .migration && error?.file == "0001_users.sql")
                let states = try await migrator.status(using: pool).map(\.state)
                #expect(states == [.edited, .applied, .pending])
                let third = try await pool.query("SELECT to_regclass('third') IS NULL")[0].decode(Bool.self)
                #expect(third)
            }
        }
    }

    @Test func aFailingFileLeavesNothingAndSaysWhere() async throws {
        var files = good
        files["0003_bad.sql"] = "-- é\nCREATE TABLE bad ();\nSELECT nonsense;"
        try await withDatabase(files) { configuration, folder in
            try await Database.withPool(configuration) { pool in
                let error = await #expect(throws: PostgresError.self) { try await Migrator(directory: folder).apply(using: pool) }
                #expect(error?.file == "0003_bad.sql" && error?.line == 3 && error?.sqlState == "42703")
                let states = try await Migrator(directory: folder).status(using: pool).map(\.state)
                #expect(states == [.applied, .applied, .pending])
                let bad = try await pool.query("SELECT to_regclass('bad') IS NULL")[0].decode(Bool.self)
                let timeout = try await pool.query("SHOW statement_timeout")[0].decode(String.self)
                #expect(bad && timeout == "30s")
                try Self.write("CREATE TABLE bad (); COMMIT;", "\(folder)/0003_bad.sql")
                let commits = await #expect(throws: PostgresError.self) { try await Migrator(directory: folder).apply(using: pool) }
                #expect(commits?.code == .migration && commits?.file == "0003_bad.sql")
            }
        }
    }

    @Test func newFilesGetTheNextNumber() async throws {
        try await withDatabase([:]) { _, folder in
            let migrator = Migrator(directory: folder)
            let paths = [try migrator.create(name: "users"), try migrator.create(name: "rooms")]
            #expect(paths == ["\(folder)/0001_users.sql", "\(folder)/0002_rooms.sql"])
            #expect(throws: PostgresError.self) { _ = try migrator.create(name: "../x") }
        }
    }
}
