/// How much load there is.
struct LoadSettings: Sendable {
    var clients = 150
    /// Messages per second by all clients together.
    var rate = 60.0
    var seed: UInt64 = 1
    /// Whether clients leave and come back by themselves, besides what faults do to them.
    var isRestless = true

    /// Several clients share a user, as devices do.
    var users: Int { max(2, clients / 5) }
    /// Users who found, enter and leave rooms of their own, over HTTP alone.
    var visitors: Int { max(2, clients / 30) }
    var rooms: Int { max(1, users * 2 / 3) }
    static let lanes = 2

    func user(_ index: Int) -> String { "user-\(index)" }
    func visitor(_ index: Int) -> String { "visitor-\(index)" }
    func room(_ index: Int) -> String { "room-\(index)" }
    /// One or two, in ever other company.
    func rooms(ofUser user: Int) -> [Int] { Set([user % rooms, (user + 1 + user / rooms) % rooms]).sorted() }
}
