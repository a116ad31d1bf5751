/// The data of `room.list`'s reply.
struct RoomPage: Encodable, Sendable {
    /// The most rooms of one page.
    static let limits = 1...512

    /// One room.
    struct Room: Encodable, Sendable {
        let room: String
        let owner: String
        /// The last `seq` of its topic; only for rooms that one is in.
        let seq: Int?
    }

    let rooms: [Room]
    /// What `after` must be for the next page; absent on the last one.
    let next: String?

    /// A page of at most so many rooms, of one room more than that where there are more.
    init(_ rooms: [Room], limit: Int) {
        self.rooms = Array(rooms.prefix(limit))
        next = rooms.count > limit ? self.rooms.last?.room : nil
    }
}
