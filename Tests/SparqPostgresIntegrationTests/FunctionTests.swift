import Foundation
import SparqPostgres
import Testing

/// The migrator's functions. Each version of the files is a folder of its own, with the revisions up to its.
@Suite struct FunctionTests {
    /// A version of the files.
    private struct Version {
        let folder: String
        var migrator: Migrator { Migrator(directory: folder, functions: "\(folder)/functions") }
    }

    private static let table = "CREATE TABLE notes (note text); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 0';"

    private static func function(_ name: String, _ body: String, _ type: String = "int") -> String {
        "CREATE OR REPLACE FUNCTION \(name)() RETURNS \(type) LANGUAGE sql AS 'SELECT \(body)';\n"
    }

    /// Writes a version: these functions are those of its revision.
    private func version(
        _ own: MigratedDatabase,
        _ pool: PostgresPool,
        revision: Int,
        migrations: [String: String] = ["0001_notes.sql": table],
        _ functions: [String: String]
    ) async throws -> Version {
        let version = Version(folder: "\(own.folder)/\(Database.name("v"))")
        try FileManager.default.createDirectory(atPath: "\(version.folder)/functions", withIntermediateDirectories: true)
        let files = MigratedDatabase(url: own.url, folder: version.folder)
        try files.write(migrations)
        try files.write(Dictionary(uniqueKeysWithValues: functions.map { ("functions/\($0.key)", $0.value) }))
        var list = ""
        for (file, text) in functions.sorted(by: { $0.key < $1.key }) { list += "\(try await sum(text, pool))  \(file)\n" }
        let earlier = (1..<revision).map { "\($0) \(String(repeating: "0", count: 64))\n" }.joined()
        try files.write(["functions/REVISION": "\(earlier)\(revision) \(try await sum(list, pool))\n"])
        return version
    }

    private func sum(_ text: String, _ pool: PostgresPool) async throws -> String {
        try await pool.query("SELECT encode(sha256($1), 'hex')", Array(text.utf8))[0].decode(String.self)
    }

    private func value(_ name: String, _ pool: PostgresPool) async throws -> Int {
        try await pool.query("SELECT \(name)()")[0].decode(Int.self)
    }

    private func with(_ body: (MigratedDatabase, PostgresPool) async throws -> Void) async throws {
        try await MigratedDatabase.with([:]) { own in
            try await Database.withPool(try own.configuration) { pool in try await body(own, pool) }
        }
    }

    @Test func filesReplaceWhatMigrationsMade() async throws {
        try await with { own, pool in
            let f = Self.function("f", "1") + "COMMENT ON FUNCTION f IS 'one';"
            let first = try await version(own, pool, revision: 1, ["f.sql": f, "g.sql": Self.function("g", "1")])
            let states = try await first.migrator.status(using: pool).functions.map(\.state)
            #expect(states == [.pending, .pending])
            let applied = try await first.migrator.apply(using: pool)
            #expect(applied.migrations.count == 1 && applied.functions == ["f", "g"] && applied.restored.isEmpty)
            let again = try await first.migrator.apply(using: pool)
            let comment = try await pool.query("SELECT obj_description('f()'::regprocedure)")[0].decode(String.self)
            #expect(again.isEmpty && comment == "one")
            let second = try await version(own, pool, revision: 2, ["f.sql": f, "g.sql": Self.function("g", "2")])
            let replaced = try await second.migrator.apply(using: pool)
            #expect(replaced.functions == ["g"])
            let (one, two) = (try await value("f", pool), try await value("g", pool))
            let after = try await second.migrator.status(using: pool).functions.map(\.state)
            #expect(one == 1 && two == 2 && after == [.applied, .applied])
        }
    }

    /// In whatever order versions start.
    @Test func anOlderVersionPutsNoOlderTextBack() async throws {
        try await with { own, pool in
            let older = try await version(own, pool, revision: 1, ["f.sql": Self.function("f", "1")])
            let newer = try await version(own, pool, revision: 2, ["f.sql": Self.function("f", "2"), "g.sql": Self.function("g", "2")])
            for version in [older, newer, older] { try await version.migrator.apply(using: pool) }
            let two = try await value("f", pool)
            let states = try await older.migrator.status(using: pool).functions.map(\.state)
            #expect(two == 2 && states == [.newer, .newer])
            // A migrator that knows of no functions, as before there were any.
            try await Migrator(directory: older.folder).apply(using: pool)
            // And one with a later revision, but without the database's last migration.
            let migrations = ["0001_notes.sql": Self.table, "0002_more.sql": "CREATE TABLE more ();"]
            let third = try await version(own, pool, revision: 3, migrations: migrations, ["f.sql": Self.function("f", "3")])
            try await third.migrator.apply(using: pool)
            let branch = try await version(own, pool, revision: 4, ["f.sql": Self.function("f", "4")])
            let applied = try await branch.migrator.apply(using: pool)
            let three = try await value("f", pool)
            #expect(applied.isEmpty && three == 3)
        }
    }

    @Test func olderAndNewerOnesTogetherEndWithTheNewest() async throws {
        try await with { own, pool in
            let versions = [
                try await version(own, pool, revision: 1, ["f.sql": Self.function("f", "1")]),
                try await version(own, pool, revision: 2, ["f.sql": Self.function("f", "2")]),
            ]
            let counts = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for place in 0..<10 {
                    let migrator = versions[place % 2].migrator
                    group.addTask {
                        let applied = try await Database.withPool(try own.configuration) { try await migrator.apply(using: $0) }
                        return (place % 2, applied.functions.count)
                    }
                }
                return try await group.reduce(into: [0, 0]) { $0[$1.0] += $1.1 }
            }
            let two = try await value("f", pool)
            #expect(two == 2 && counts[0] <= 1 && counts[1] == 1)
        }
    }

    /// Not SQL, a signature that does not fit, and the wrong name.
    private static let broken: [(text: String, state: String?, line: Int?)] = [
        ("CREATE OR REPLACE FUNCTION g() RETURNS int\nLANGUAGE sql AS\nnonsense;\n", "42601", 3),
        (function("g", "1::text", "text"), "42P13", nil), (function("h", "1"), nil, nil),
    ]

    @Test(arguments: broken)
    func aBrokenFileIsNamedAndNothingIsApplied(text: String, state: String?, line: Int?) async throws {
        try await with { own, pool in
            let good = try await version(own, pool, revision: 1, ["f.sql": Self.function("f", "1"), "g.sql": Self.function("g", "1")])
            try await good.migrator.apply(using: pool)
            if state == nil { try await pool.query("DROP FUNCTION g()") }
            let bad = try await version(own, pool, revision: 2, ["f.sql": Self.function("f", "2"), "g.sql": text])
            let error = await #expect(throws: PostgresError.self) { try await bad.migrator.apply(using: pool) }
            #expect(error?.file == "g.sql" && error?.sqlState == state && (line == nil || error?.line == line))
            #expect(state != nil || error?.code == .migration)
            let one = try await value("f", pool)
            let revision = try await pool.query("SELECT max(revision) FROM schema_functions")[0].decode(Int.self)
            let h = try await pool.query("SELECT to_regprocedure('h()') IS NULL")[0].decode(Bool.self)
            #expect(one == 1 && revision == 1 && h)
            // And the version before goes on.
            try await good.migrator.apply(using: pool)
        }
    }

    @Test func aChangeNeedsANewRevision() async throws {
        try await with { own, pool in
            let migrations = ["0001_notes.sql": Self.table, "0002_more.sql": "CREATE TABLE more ();"]
            let first = try await version(own, pool, revision: 1, migrations: migrations, ["f.sql": Self.function("f", "1")])
            try Data(Self.function("f", "2").utf8).write(to: URL(fileURLWithPath: "\(first.folder)/functions/f.sql"))
            let edited = await #expect(throws: PostgresError.self) { try await first.migrator.apply(using: pool) }
            #expect(edited?.code == .migration && edited?.file == "REVISION")
            let hasNothing = try await pool.query("SELECT to_regclass('more') IS NULL")[0].decode(Bool.self)
            #expect(hasNothing)
            // Two branches with the same revision.
            try await version(own, pool, revision: 1, ["f.sql": Self.function("f", "1")]).migrator.apply(using: pool)
            let other = try await version(own, pool, revision: 1, migrations: migrations, ["f.sql": Self.function("f", "2")])
            let collision = await #expect(throws: PostgresError.self) { try await other.migrator.apply(using: pool) }
            #expect(collision?.code == .migration && collision?.file == "f.sql")
            let one = try await value("f", pool)
            #expect(one == 1)
        }
    }

    /// As after a restore without functions.
    @Test func aLostFunctionIsMadeAgain() async throws {
        try await with { own, pool in
            let both = Self.function("f", "1") + "CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';"
            let version = try await version(own, pool, revision: 1, ["f.sql": both, "g.sql": Self.function("g", "1")])
            try await version.migrator.apply(using: pool)
            try await pool.query("DROP FUNCTION f(int)")
            let states = try await version.migrator.status(using: pool).functions.map(\.state)
            #expect(states == [.gone, .applied])
            let applied = try await version.migrator.apply(using: pool)
            #expect(applied.functions == ["f"] && applied.restored == ["f"])
            let five = try await pool.query("SELECT f(5)")[0].decode(Int.self)
            let again = try await version.migrator.apply(using: pool)
            #expect(five == 5 && again.isEmpty)
            // The record of one is lost.
            try await pool.query("DELETE FROM schema_functions WHERE name = 'g'")
            let recorded = try await version.migrator.apply(using: pool)
            #expect(recorded.functions == ["g"])
        }
    }

    /// The functions belong to somebody else. Workers wait for that (42501).
    @Test func whereAFunctionMayNotBeReplacedNoneIs() async throws {
        try await with { own, pool in
            let role = Database.name("role")
            try await pool.query("CREATE ROLE \(role)")
            try await pool.query("GRANT CREATE, USAGE ON SCHEMA public TO \(role)")
            let limited = try PostgresConfiguration(url: "\(own.url)\(own.url.contains("?") ? "&" : "?")options=-crole%3D\(role)")
            let functions = ["f.sql": Self.function("f", "1"), "g.sql": Self.function("g", "1")]
            let first = try await version(own, pool, revision: 1, functions)
            let second = try await version(own, pool, revision: 2, functions.mapValues { $0.replacing("SELECT 1", with: "SELECT 2") })
            try await Database.withPool(limited) { limited in
                try await first.migrator.apply(using: limited)
                try await pool.query("ALTER FUNCTION g() OWNER TO CURRENT_USER")
                let error = await #expect(throws: PostgresError.self) { try await second.migrator.apply(using: limited) }
                #expect(error?.sqlState == "42501" && error?.file == "g.sql")
                let one = try await value("f", pool)
                #expect(one == 1)
                try await pool.query("ALTER FUNCTION g() OWNER TO \(role)")
                let applied = try await second.migrator.apply(using: limited)
                #expect(applied.functions == ["f", "g"])
            }
            try await pool.query("DROP OWNED BY \(role)")
            try await pool.query("DROP ROLE \(role)")
        }
    }
}
