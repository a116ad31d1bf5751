import Sparq

extension Topic {
    /// The stream of one room.
    static func room(_ id: String) -> Topic { Topic(rawValue: "room:\(id)") }
}

/// The name of a room: 1 to 64 characters.
struct RoomName: Hashable, Sendable, Codable {
    let text: String

    var topic: Topic { .room(text) }

    init(_ text: String) throws(Refusal) {
        self.text = try NameRules.normalized(text, lengths: 1...64, whose: "A room's name")
    }

    init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
