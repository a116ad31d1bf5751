import SparqPostgres
import Testing

@Suite struct MigratorTests {
    private let good = [
        "0001_users.sql": "CREATE TABLE users (id int8); COMMENT ON TABLE users IS 'é';\nINSERT INTO users VALUES (1);",
        "0002_more.sql": "SELECT pg_sleep(0.2);\nINSERT INTO users VALUES (2);", "notes.txt": "none of ours",
    ]

    @Test func tenProcessesTogetherApplyEachOnce() async throws {
        try await MigratedDatabase.with(good) { own in
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await Database.withPool(try own.configuration) { pool in
                            try await Migrator(directory: own.folder).apply(using: pool).migrations.map(\.version)
                        }
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == [1, 2])
            try await Database.withPool(try own.configuration) { pool in
                let users = try await pool.query("SELECT id FROM users ORDER BY id").map { try $0.decode(Int.self) }
                let states = try await Migrator(directory: own.folder).status(using: pool).migrations.map(\.state)
                let comment = try await pool.query("SELECT obj_description('schema_migrations'::regclass)")[0].decode(String.self)
                #expect(users == [1, 2] && states == [.applied, .applied] && !comment.isEmpty)
            }
        }
    }

    @Test func anEditedFileIsRefusedByName() async throws {
        try await MigratedDatabase.with(good) { own in
            try await Database.withPool(try own.configuration) { pool in
                let migrator = Migrator(directory: own.folder)
                let before = try await migrator.status(using: pool).migrations.map(\.state)
                #expect(before == [.pending, .pending])
                try await migrator.apply(using: pool)
                let again = try await migrator.apply(using: pool)
                #expect(again.isEmpty)
                try own.write(["0001_users.sql": "SELECT 1;", "0003_third.sql": "CREATE TABLE third ();"])
                let error = await #expect(throws: PostgresError.self) { try await migrator.apply(using: pool) }
                #expect(error?.code == .migration && error?.file == "0001_users.sql")
                let states = try await migrator.status(using: pool).migrations.map(\.state)
                #expect(states == [.edited, .applied, .pending])
                let third = try await pool.query("SELECT to_regclass('third') IS NULL")[0].decode(Bool.self)
                #expect(third)
            }
        }
    }

    @Test func aFailingFileLeavesNothingAndSaysWhere() async throws {
        var files = good
        files["0003_bad.sql"] = "-- é\nCREATE TABLE bad ();\nSELECT nonsense;"
        try await MigratedDatabase.with(files) { own in
            try await Database.withPool(try own.configuration) { pool in
                let error = await #expect(throws: PostgresError.self) { try await Migrator(directory: own.folder).apply(using: pool) }
                #expect(error?.file == "0003_bad.sql" && error?.line == 3 && error?.sqlState == "42703")
                let states = try await Migrator(directory: own.folder).status(using: pool).migrations.map(\.state)
                #expect(states == [.applied, .applied, .pending])
                let bad = try await pool.query("SELECT to_regclass('bad') IS NULL")[0].decode(Bool.self)
                let timeout = try await pool.query("SHOW statement_timeout")[0].decode(String.self)
                #expect(bad && timeout == "30s")
                try own.write(["0003_bad.sql": "CREATE TABLE bad (); COMMIT;"])
                let commits = await #expect(throws: PostgresError.self) { try await Migrator(directory: own.folder).apply(using: pool) }
                #expect(commits?.code == .migration && commits?.file == "0003_bad.sql")
            }
        }
    }

    @Test func newFilesGetTheNextNumber() async throws {
        try await MigratedDatabase.with([:]) { own in
            let migrator = Migrator(directory: own.folder)
            let paths = [try migrator.create(name: "users"), try migrator.create(name: "rooms")]
            #expect(paths == ["\(own.folder)/0001_users.sql", "\(own.folder)/0002_rooms.sql"])
            #expect(throws: PostgresError.self) { _ = try migrator.create(name: "../x") }
        }
    }
}
