/// What the database holds at the end.
struct DatabaseContents: Sendable, Equatable {
    /// Each topic's log, by `seq`.
    var log: [String: [SeenEvent]] = [:]
    /// Each topic's own count.
    var heads: [String: Int] = [:]
}
