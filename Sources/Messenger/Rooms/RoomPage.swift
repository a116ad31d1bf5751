/// The data of `room.list`'s reply.
struct RoomPage: Encodable, Sendable {
    /// The most rooms of one page.
    static let limit = 100

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
}
