import Sparq

/// Rooms and who is in them: `room.create`, `room.join`, `room.leave`, `room.send`, `room.history`, `room.list`.
enum Rooms {
    /// The field of `room.create`, `room.join`, `room.leave`, and the data of their replies.
    struct Named: Codable, Sendable {
        let room: RoomName
    }

    /// The fields of `room.send`.
    struct Send: Decodable, Sendable {
        let room: RoomName
        let text: MessageText
    }

    /// The fields of `room.list`: mine, or all of them, `limit` (1 to 512) behind the name `after`.
    ///
    /// Without a limit a page has 100 of all, and 512 of mine: a connection cannot listen to more, by default, and clients of before there were pages
    /// expect all of them at once.
    struct List: Decodable, Sendable {
        let all: Bool
        let after: String
        let limit: Int

        private enum CodingKeys: CodingKey { case all, after, limit }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            all = try container.decodeIfPresent(Bool.self, forKey: .all) ?? false
            after = try container.decodeIfPresent(String.self, forKey: .after) ?? ""
            limit = try container.decodeIfPresent(Int.self, forKey: .limit) ?? (all ? 100 : RoomPage.limits.upperBound)
            guard RoomPage.limits.contains(limit) else { throw Refusal(.invalidFields, "The field \"limit\" must lie between 1 and 512.") }
            // PostgreSQL has no room for it in its text.
            guard !after.utf8.contains(0) else {
                throw Refusal(.invalidFields, "The field \"after\" must not contain the character U+0000.")
            }
        }
    }

    /// The fields of `room.history`.
    struct History: Decodable, Sendable {
        let room: RoomName
        let page: PageRequest

        private enum CodingKeys: CodingKey { case room }

        init(from decoder: any Decoder) throws {
            room = try decoder.container(keyedBy: CodingKeys.self).decode(RoomName.self, forKey: .room)
            page = try PageRequest(from: decoder)
        }
    }

    static func register(on router: inout Router, members: Loaders.Members) {
        router.onTransaction("room.create", Named.self, create)
        router.onTransaction("room.join", Named.self, join)
        router.onTransaction("room.leave", Named.self, leave)
        router.on("room.list", List.self, list)
        router.on("room.send", Send.self) { message, context in
            try await members.require(message.room.text, context)
            let event = RoomMessage(room: message.room, from: context.user, text: message.text)
            return [.append(to: message.room.topic, event), .reply(Empty())]
        }
        router.on("room.history", History.self) { message, context in
            try await members.require(message.room.text, context)
            return [.reply(try await MessengerSQL.history(of: message.room.topic, message.page, context.database).json)]
        }
    }

    @Sendable
    private static func create(_ message: Named, _ context: Context, _ transaction: PostgresTransaction) async throws -> [Effect] {
        guard try await MessengerSQL.createRoom(message.room, owner: context.user, transaction) else {
            throw Refusal(.conflict, "There is a room \"\(message.room.text)\" already.")
        }
        try await MessengerSQL.addMember(context.user, to: message.room, transaction)
        return entrance(message.room, context.user)
    }

    @Sendable
    private static func join(_ message: Named, _ context: Context, _ transaction: PostgresTransaction) async throws -> [Effect] {
        guard try await MessengerSQL.roomExists(message.room, transaction) else { throw missing(message.room) }
        // Whoever is in already just follows along, with this connection too.
        guard try await MessengerSQL.addMember(context.user, to: message.room, transaction) else {
            return [.subscribe(message.room.topic), .reply(message)]
        }
        return entrance(message.room, context.user)
    }

    @Sendable
    private static func leave(_ message: Named, _ context: Context, _ transaction: PostgresTransaction) async throws -> [Effect] {
        guard try await MessengerSQL.removeMember(context.user, from: message.room, transaction) else {
            guard try await MessengerSQL.roomExists(message.room, transaction) else { throw missing(message.room) }
            throw Refusal(.notAMember, "You are not a member of the room \"\(message.room.text)\".")
        }
        return [
            .append(to: message.room.topic, RoomLeft(room: message.room, user: context.user)),
            .append(to: .user(context.user), UserLeft(room: message.room)),
            .unsubscribe(message.room.topic, user: context.user),
            .reply(message),
        ]
    }

    @Sendable
    private static func list(_ message: List, _ context: Context) async throws -> [Effect] {
        // One more tells whether there are more.
        let count = message.limit + 1
        let rooms =
            if message.all {
                try await MessengerSQL.allRooms(after: message.after, limit: count, context.database)
            } else {
                try await MessengerSQL.rooms(of: context.user, after: message.after, limit: count, context.database)
            }
        return [.reply(RoomPage(rooms, limit: message.limit))]
    }

    private static func entrance(_ room: RoomName, _ user: String) -> [Effect] {
        [
            .subscribe(room.topic),
            .append(to: room.topic, RoomJoined(room: room, user: user)),
            .append(to: .user(user), UserJoined(room: room)),
            .reply(Named(room: room)),
        ]
    }

    private static func missing(_ room: RoomName) -> Refusal {
        Refusal(.notFound, "There is no room \"\(room.text)\".")
    }
}
