/// Where one migration stands in a database.
public struct MigrationStatus: Sendable, Hashable {
    /// What can be said of a migration.
    public enum State: String, Sendable, Hashable {
        /// Recorded, and its file is as it was.
        case applied
        /// Not applied yet.
        case pending
        /// Recorded, but its file was changed afterwards.
        case edited
        /// Recorded, but its file is gone.
        case missing
        /// Recorded, and later than all files: the database has been migrated by a newer version.
        case newer
        /// Not applied, though a later one was.
        case skipped
    }

    /// The migration's number.
    public let version: Int
    /// Its name.
    public let name: String
    /// Where it stands.
    public let state: State
    /// When it was applied.
    public let appliedAt: PostgresTimestamp?
}
