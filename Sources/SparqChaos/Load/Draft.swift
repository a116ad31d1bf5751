import SparqProtocol

/// A message before it has a token.
enum Draft: Sendable {
    case room(String)
    case direct(to: String)
    case everyone

    var type: String {
        switch self {
        case .room: "room.send"
        case .direct: "direct.send"
        case .everyone: "sendMessage"
        }
    }

    /// Which topics get one event each.
    func topics(from user: String) -> [String] {
        switch self {
        case .room(let room): [Topic.room(room).rawValue]
        case .direct(let other): other == user ? [Topic.user(user).rawValue] : [Topic.user(other).rawValue, Topic.user(user).rawValue]
        case .everyone: [Topic.everyone.rawValue]
        }
    }

    func fields(token: String) -> [String: String] {
        var fields = ["text": "\(token) says something of no importance"]
        switch self {
        case .room(let room): fields["room"] = room
        case .direct(let other): fields["to"] = other
        case .everyone: break
        }
        return fields
    }

    /// The whole message as JSON text.
    func json(id: String, token: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw(#"{"type":"#)
        writer.string(type)
        writer.raw(#","id":"#)
        writer.string(id)
        for (name, value) in fields(token: token).sorted(by: { $0.key < $1.key }) {
            writer.raw(",")
            writer.string(name)
            writer.raw(":")
            writer.string(value)
        }
        writer.raw("}")
        return writer.bytes
    }
}
