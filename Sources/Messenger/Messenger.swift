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
