import Sparq

/// Questions that many messages of a batch ask at once, one query for all of them.
enum Loaders {
    typealias Members = BatchLoader<Membership, Bool>
    typealias Users = BatchLoader<UserName, Bool>

    /// Who is a member of what.
    static func members() -> Members {
        Members(remembers: true) { keys, database in
            Dictionary(uniqueKeysWithValues: try await MessengerSQL.memberships(keys, database).map { ($0, true) })
        }
    }

    /// Which accounts there are.
    static func users() -> Users {
        Users { keys, database in
            Dictionary(uniqueKeysWithValues: try await MessengerSQL.existingUsers(keys, database).map { ($0, true) })
        }
    }
}

/// A user in a room.
struct Membership: Hashable, Sendable {
    let room: String
    let user: String
}

extension Loaders.Members {
    /// Refuses whoever is not in the room; a room that is not there gets the same answer.
    func require(_ room: String, _ context: Context) async throws {
        guard try await load(Membership(room: room, user: context.user), context) == true else {
            throw Refusal(.notAMember, "You are not a member of the room \"\(room)\".")
        }
    }
}
