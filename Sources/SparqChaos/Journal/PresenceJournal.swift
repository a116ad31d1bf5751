/// What somebody who watches others has heard of them. A value without I/O.
struct PresenceJournal: Sendable {
    /// One word on a user, as the server says it.
    struct Word: Decodable, Sendable {
        var user: String
        var online: Bool
        var at: String
    }

    private var latest: [String: Word] = [:]

    /// The one with the later time counts.
    mutating func note(_ word: Word) {
        if let known = latest[word.user], known.at > word.at { return }
        latest[word.user] = word
    }

    /// Those who are thought to be otherwise; nobody has heard of a user is otherwise too.
    func others(_ users: [String], than isOnline: Bool) -> [String] { users.filter { latest[$0]?.online != isOnline } }
}
