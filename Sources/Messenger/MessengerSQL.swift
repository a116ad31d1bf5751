import Sparq

/// All SQL of the messenger. Tables: `db/migrations/0002_messenger.sql`, `0011_guesses.sql`; functions: `db/functions`; `events` and `topics` are Sparq's own.
///
/// What a client can ask for is a page along an index: its cost does not depend on how much there is.
enum MessengerSQL {
    // MARK: Accounts

    /// Makes an account; false where the name is taken, but by the message that `origin` names.
    static func createUser(
        _ user: UserName,
        password: String,
        origin: String,
        _ database: any PostgresExecutor
    ) async throws -> Bool {
        let sql = """
            WITH created AS (
                INSERT INTO users (name, display, password, origin) VALUES ($1, $1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING name
            )
            SELECT EXISTS (SELECT FROM created) OR EXISTS (SELECT FROM users WHERE name = $1 AND origin = $3)
            """
        return try await database.query(sql, user.text, password, origin).first?.decode(Bool.self) ?? false
    }

    /// The PHC string of an account; nil where there is no such account.
    static func password(of user: UserName, _ database: any PostgresExecutor) async throws -> String? {
        try await database.query("SELECT password FROM users WHERE name = $1", user.text).first?.decode(String.self)
    }

    /// Stores a new hash of the same password, unless somebody has changed it meanwhile.
    static func replacePassword(
        of user: UserName,
        _ old: String,
        with new: String,
        _ database: any PostgresExecutor
    ) async throws {
        try await database.execute("UPDATE users SET password = $3 WHERE name = $1 AND password = $2", user.text, old, new)
    }

    /// Those of the names that have an account.
    static func existingUsers(_ users: [UserName], _ database: any PostgresExecutor) async throws -> [UserName] {
        try await database.query("SELECT name FROM users WHERE name = ANY ($1)", users.map(\.text)).map {
            try UserName(try $0.decode(String.self))
        }
    }

    /// Takes a guess out of all buckets, or out of none; returns after how many seconds there is one, 0 where it was taken.
    static func take(_ guess: Guess, _ database: any PostgresExecutor) async throws -> Double {
        try await database.query(
            "SELECT messenger_guess($1, $2, $3, $4)",
            guess.known,
            guess.buckets.map(\.subject),
            guess.buckets.map(\.limit.seconds),
            guess.buckets.map { Int32($0.limit.burst) }
        ).first?.decode(Double.self) ?? 0
    }

    /// Gives a guess back; with a number of days its address is known for so long.
    static func giveBack(_ guess: Guess, isKnownFor days: Int?, _ database: any PostgresExecutor) async throws {
        try await database.query(
            "SELECT messenger_guessed($1, $2, $3, $4)",
            guess.known,
            guess.buckets.map(\.subject),
            guess.buckets.map(\.limit.seconds),
            days.map { Int32($0) }
        )
    }

    // MARK: Rooms

    /// False where the name is taken.
    static func createRoom(_ room: RoomName, owner: String, _ transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.execute("INSERT INTO rooms (name, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING", room.text, owner) == 1
    }

    static func roomExists(_ room: RoomName, _ transaction: PostgresTransaction) async throws -> Bool {
        try await !transaction.query("SELECT FROM rooms WHERE name = $1", room.text).isEmpty
    }

    /// False where the user is in the room already.
    @discardableResult
    static func addMember(_ user: String, to room: RoomName, _ transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.execute("INSERT INTO members (room, member) VALUES ($1, $2) ON CONFLICT DO NOTHING", room.text, user) == 1
    }

    /// False where the user is not in the room.
    static func removeMember(_ user: String, from room: RoomName, _ transaction: PostgresTransaction) async throws -> Bool {
        try await transaction.execute("DELETE FROM members WHERE room = $1 AND member = $2", room.text, user) == 1
    }

    /// Those of the pairs that are true.
    static func memberships(_ pairs: [Membership], _ database: any PostgresExecutor) async throws -> [Membership] {
        let sql = "SELECT room, member FROM messenger_memberships($1, $2)"
        return try await database.query(sql, pairs.map(\.room), pairs.map(\.user)).map { row in
            let (room, user) = try row.decode(String.self, String.self)
            return Membership(room: room, user: user)
        }
    }

    /// A page of the rooms that a user is in, by name, behind a name, with the last number of their logs.
    static func rooms(of user: String, after name: String, limit: Int, _ database: any PostgresExecutor) async throws -> [RoomPage.Room] {
        let sql = "SELECT room, owner, seq FROM messenger_own_rooms($1, $2, $3)"
        return try await database.query(sql, user, name, limit).map { row in
            let (room, owner, seq) = try row.decode(String.self, String.self, Int.self)
            return RoomPage.Room(room: room, owner: owner, seq: seq)
        }
    }

    /// A page of all rooms, by name, behind a name.
    static func allRooms(after name: String, limit: Int, _ database: any PostgresExecutor) async throws -> [RoomPage.Room] {
        let sql = "SELECT room, owner FROM messenger_all_rooms($1, $2)"
        return try await database.query(sql, name, limit).map { row in
            let (room, owner) = try row.decode(String.self, String.self)
            return RoomPage.Room(room: room, owner: owner, seq: nil)
        }
    }

    // MARK: The log

    /// A page of a topic's log, newest first, of what retention has kept. One row more than wanted tells whether there are more.
    static func history(of topic: Topic, _ page: PageRequest, _ database: any PostgresExecutor) async throws -> HistoryPage {
        let sql = "SELECT seq, at, type, data FROM messenger_history($1, $2, $3)"
        let result = try await database.query(sql, topic.rawValue, page.before ?? Int.max, page.limit + 1)
        return try HistoryPage(newestFirst: result, of: topic, limit: page.limit)
    }

    /// The same of a user's own topic, direct messages alone, with one person or with anybody.
    static func directHistory(
        of user: String,
        with other: UserName?,
        _ page: PageRequest,
        _ database: any PostgresExecutor
    ) async throws -> HistoryPage {
        let topic = Topic.user(user)
        let sql = "SELECT seq, at, type, data FROM messenger_direct_history($1, $2, $3, $4)"
        let result = try await database.query(sql, topic.rawValue, other?.text, page.before ?? Int.max, page.limit + 1)
        return try HistoryPage(newestFirst: result, of: topic, limit: page.limit)
    }
}
