/// What to do about the files of a folder, given what a database has recorded. A pure value.
///
/// Versions count 1, 2, 3… without gaps and duplicates; what is applied must be a prefix of that, unedited and still there. What is applied beyond
/// the last file is a newer version's, and none of ours to judge.
struct MigrationPlan {
    struct Record: Hashable {
        let version: Int
        let name: String
        let checksum: String
        let appliedAt: PostgresTimestamp
    }

    let migrations: [Migration]
    private let checksums: [String]
    private let records: [Record]

    /// - Parameter checksums: one for each of the migrations, which are in order.
    init(migrations: [Migration], checksums: [String], records: [Record]) {
        self.migrations = migrations
        self.checksums = checksums
        self.records = records
    }

    /// Whether the database has later migrations than the files.
    var isBehind: Bool { (records.map(\.version).max() ?? 0) > (migrations.last?.version ?? 0) }

    func statuses() -> [MigrationStatus] {
        let last = records.map(\.version).max() ?? 0
        var byVersion = Dictionary(records.map { ($0.version, $0) }, uniquingKeysWith: { first, _ in first })
        var statuses = zip(migrations, checksums).map { migration, checksum in
            let record = byVersion.removeValue(forKey: migration.version)
            let state: MigrationStatus.State =
                if let record { record.checksum == checksum ? .applied : .edited } else if migration.version < last { .skipped } else {
                    .pending
                }
            return MigrationStatus(version: migration.version, name: migration.name, state: state, appliedAt: record?.appliedAt)
        }
        let lastFile = migrations.last?.version ?? 0
        for record in byVersion.values {
            let state: MigrationStatus.State = lastFile > 0 && record.version > lastFile ? .newer : .missing
            statuses.append(MigrationStatus(version: record.version, name: record.name, state: state, appliedAt: record.appliedAt))
        }
        return statuses.sorted { $0.version < $1.version }
    }

    /// The migrations to apply, in order.
    func pending() throws(PostgresError) -> [Migration] {
        for status in statuses() {
            let file = migrations.first { $0.version == status.version }?.file ?? "\(status.version)_\(status.name).sql"
            switch status.state {
            case .applied, .pending, .newer: continue
            case .edited:
                throw MigrationPlan.error(file, "the file was edited after it had been applied; undo that, and write a new migration")
            case .missing: throw MigrationPlan.error(file, "the database has this migration, but its file is missing")
            case .skipped: throw MigrationPlan.error(file, "not applied, although a later migration was; give it the next number")
            }
        }
        let applied = Set(records.map(\.version))
        return migrations.filter { !applied.contains($0.version) }
    }

    /// Checks the numbers: 1, 2, 3… without gaps and duplicates.
    static func ordered(_ migrations: [Migration]) throws(PostgresError) -> [Migration] {
        let sorted = migrations.sorted { ($0.version, $0.file) < ($1.version, $1.file) }
        for (index, migration) in sorted.enumerated() {
            if index > 0 && sorted[index - 1].version == migration.version {
                throw error(migration.file, "the number \(migration.version) is taken by \(sorted[index - 1].file) too")
            }
            if migration.version != index + 1 {
                throw error(migration.file, "the number \(index + 1) is missing before it: migrations count 1, 2, 3… without gaps")
            }
        }
        return sorted
    }

    static func error(_ file: String, _ message: String) -> PostgresError {
        var error = PostgresError(.migration, message)
        error.file = file
        return error
    }
}
