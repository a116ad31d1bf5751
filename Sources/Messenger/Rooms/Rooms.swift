import Postgres
import SparqProtocol
import SparqWorker

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

    /// The fields of `room.list`: mine, or all of them in pages of 100, behind the name `after`.
    struct List: Decodable, Sendable {
        let all: Bool?
        let after: String?
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
            .unsubscribe(message.room.topic, user: context.user),
            .reply(message),
        ]
    }

    @Sendable
    private static func list(_ message: List, _ context: Context) async throws -> [Effect] {
        guard message.all == true else {
            return [.reply(RoomPage(rooms: try await MessengerSQL.rooms(of: context.user, context.database), next: nil))]
        }
        let rooms = try await MessengerSQL.allRooms(after: message.after ?? "", limit: RoomPage.limit, context.database)
        return [.reply(RoomPage(rooms: rooms, next: rooms.count == RoomPage.limit ? rooms.last?.room : nil))]
    }

    private static func entrance(_ room: RoomName, _ user: String) -> [Effect] {
        [.subscribe(room.topic), .append(to: room.topic, RoomJoined(room: room, user: user)), .reply(Named(room: room))]
    }

    private static func missing(_ room: RoomName) -> Refusal {
        Refusal(.notFound, "There is no room \"\(room.text)\".")
    }
}
