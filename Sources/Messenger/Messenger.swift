public import Sparq

/// The application: accounts, rooms, direct messages, who is there, and what is said to everyone.
///
/// ```swift
/// var router = Router()
/// Messenger.register(on: &router)
/// ```
///
/// Needs the tables of `db/migrations/0002_messenger.sql`.
public enum Messenger {
    /// Puts the messenger's handlers and policies on a router.
    ///
    /// - Parameter passwords: Hashes and checks passwords, on threads of its own.
    public static func register(on router: inout Router, passwords: PasswordHasher = PasswordHasher()) {
        let members = Loaders.members()
        Accounts.register(on: &router, passwords: passwords)
        Everyone.register(on: &router)
        Rooms.register(on: &router, members: members)
        Direct.register(on: &router)
        PresenceOfUsers.register(on: &router)
        Connections.register(on: &router, members: members)
    }
}

extension ErrorCode {
    /// The name or the password is wrong; which of the two is not told.
    public static let invalidCredentials: Self = "invalid_credentials"
    /// Only members of the room may do this.
    public static let notAMember: Self = "not_a_member"
}

/// No fields, and no data: `{}`.
struct Empty: Codable, Sendable {}

extension Empty: JSONWritable {
    func write(to writer: inout JSONWriter) { writer.raw("{}") }
}
