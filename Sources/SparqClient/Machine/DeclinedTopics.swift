/// Topics that the owner let go of: what the server offers of them is passed over, until the owner wants them again.
///
/// Bounded: of more than ``limit`` the one that was let go of first is forgotten, and an offer brings it back.
struct DeclinedTopics {
    /// Twice what a server lets one connection have by default, and so what it offers.
    static let limit = 1_024

    /// With the turn in which they were let go of.
    private var turns: [String: Int] = [:]
    private var turn = 0

    var count: Int { turns.count }

    func contains(_ topic: String) -> Bool { turns[topic] != nil }

    mutating func insert(_ topic: String) {
        turn += 1
        turns[topic] = turn
        if turns.count > Self.limit, let oldest = turns.min(by: { $0.value < $1.value })?.key { turns[oldest] = nil }
    }

    mutating func remove(_ topic: String) { turns[topic] = nil }
}
