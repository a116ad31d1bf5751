import SparqWorker

/// Somebody said something in a room.
struct RoomMessage: EventData {
    static let eventType = "room.message"

    let room: RoomName
    let from: String
    let text: MessageText
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
