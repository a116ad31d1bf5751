import SparqWire

/// A message before it has a token.
enum Draft: Sendable {
    case room(String)
    case direct(to: String)
    case everyone
    /// Messages whose handlers write in a transaction of their own.
    case create(room: String)
    case join(room: String)
    case leave(room: String)

    var type: String {
        switch self {
        case .room: "room.send"
        case .direct: "direct.send"
        case .everyone: "sendMessage"
        case .create: "room.create"
        case .join: "room.join"
        case .leave: "room.leave"
        }
    }

    /// What tells its event from all others where that has no text; each user enters and leaves a room of these once.
    func token(from user: String) -> String? {
        switch self {
        case .room, .direct, .everyone: nil
        case .create(let room), .join(let room): EventText.token(of: "room.joined", room: room, user: user)
        case .leave(let room): EventText.token(of: "room.left", room: room, user: user)
        }
    }

    /// Which topics get one event each.
    func topics(from user: String) -> [String] {
        switch self {
        case .room(let room), .create(let room), .join(let room), .leave(let room): [Topic.room(room).rawValue]
        case .direct(let other): other == user ? [Topic.user(user).rawValue] : [Topic.user(other).rawValue, Topic.user(user).rawValue]
        case .everyone: [Topic.everyone.rawValue]
        }
    }

    func fields(token: String) -> [String: String] {
        let text = "\(token) says something of no importance"
        return switch self {
        case .room(let room): ["room": room, "text": text]
        case .direct(let other): ["to": other, "text": text]
        case .everyone: ["text": text]
        case .create(let room), .join(let room), .leave(let room): ["room": room]
        }
    }

    /// The whole message as JSON text.
    func json(id: String, token: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("{")
        for (index, (name, value)) in fields(token: token).sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { writer.raw(",") }
            writer.string(name)
            writer.raw(":")
            writer.string(value)
        }
        writer.raw("}")
        return Frame(type: type, id: id).json(fields: writer.bytes)
    }
}
