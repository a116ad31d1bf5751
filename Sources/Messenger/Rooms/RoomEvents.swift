import Sparq

/// Somebody said something in a room.
struct RoomMessage: EventData, JSONWritable {
    static let eventType = "room.message"

    let room: RoomName
    let from: String
    let text: MessageText

    func write(to writer: inout JSONWriter) {
        writer.raw("{\"room\":")
        writer.string(room.text)
        writer.raw(",\"from\":")
        writer.string(from)
        writer.raw(",\"text\":")
        writer.string(text.text)
        writer.byte(UInt8(ascii: "}"))
    }
}

/// Somebody became a member.
struct RoomJoined: EventData {
    static let eventType = "room.joined"

    let room: RoomName
    let user: String
}

/// Somebody is a member no more.
struct RoomLeft: EventData {
    static let eventType = "room.left"

    let room: RoomName
    let user: String
}

/// To a user's own topic: they are a member of a room from now on, by whichever device of theirs. The others subscribe to it then.
struct UserJoined: EventData {
    static let eventType = "user.joined"

    let room: RoomName
}

/// To a user's own topic: they are a member of a room no more, and no device of theirs hears it.
struct UserLeft: EventData {
    static let eventType = "user.left"

    let room: RoomName
}
