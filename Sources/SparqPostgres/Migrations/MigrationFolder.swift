#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The files of a migrations folder.
struct MigrationFolder {
    let directory: String

    private var files: SQLFolder { SQLFolder(directory: directory, content: "migrations") }

    /// All migrations, in order. Files that do not end in `.sql` are none.
    func load() throws(PostgresError) -> [Migration] {
        var migrations: [Migration] = []
        for file in try files.files() { migrations.append(try migration(file)) }
        return try MigrationPlan.ordered(migrations)
    }

    private func migration(_ file: String) throws(PostgresError) -> Migration {
        let parts = file.dropLast(4).split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let number = parts.first, number.utf8.allSatisfy({ (48...57).contains($0) }), let version = Int(number),
            version > 0, !parts[1].isEmpty
        else { throw MigrationPlan.error(file, "a migration's file is called NNNN_name.sql, as in 0001_users.sql") }
        return Migration(version: version, name: String(parts[1]), file: file, sql: try files.text(of: file))
    }

    /// Writes the next migration's file, and returns its path.
    func create(name: String) throws(PostgresError) -> String {
        let allowed = name.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
        guard !name.isEmpty, allowed else {
            throw MigrationPlan.error(name, "a migration's name consists of the letters a to z, digits and underscores")
        }
        let number = String((try load().last?.version ?? 0) + 1)
        let file = String(repeating: "0", count: max(0, 4 - number.count)) + "\(number)_\(name).sql"
        let path = "\(directory)/\(file)"
        let text = "-- What this changes and why. It runs in a transaction of its own; say what a row means with COMMENT ON TABLE.\n"
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
        } catch {
            throw MigrationPlan.error(file, "the file cannot be written")
        }
        return path
    }
}

/// One migration: a file `NNNN_name.sql`.
public struct Migration: Sendable, Hashable {
    /// The number in front, from 1.
    public let version: Int
    /// What stands between the number and `.sql`.
    public let name: String
    /// The file's name.
    public let file: String
    /// The file's text.
    let sql: String
}
