public import SparqPostgres
import SparqStore

/// Whether a user is there, that is: some connection of theirs, at any node, is subscribed to their topic (`user:<id>`).
///
/// The directory knows, so there is nothing to keep beside it: what removes a dead node's rows, or mends a lost write, mends this too.
public struct Presence: Hashable, Sendable {
    /// The user's id.
    public let user: String
    /// Whether the user is there.
    public let isOnline: Bool
    /// As of when, by the database's clock: ISO 8601 with microseconds, in UTC, so that times compare as texts. Of two answers on one user the
    /// one with the later time counts.
    public let at: String

    /// A presence of its parts.
    public init(user: String, isOnline: Bool, at: String) {
        self.user = user
        self.isOnline = isOnline
        self.at = at
    }

    /// Which users are there, in the order in which they are named. One query, whatever their number. Throws ``PostgresError``.
    public static func of(_ users: [String], _ database: any PostgresExecutor) async throws -> [Presence] {
        if users.isEmpty { return [] }
        return try await DirectoryStore.presence(of: users, database).map { user, isOnline, at in
            Presence(user: users[user], isOnline: isOnline, at: at)
        }
    }
}
