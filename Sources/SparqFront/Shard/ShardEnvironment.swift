/// What a shard needs of the world around it; tests give it another one.
struct ShardEnvironment {
    /// Nanoseconds of a clock that never goes back.
    var now: () -> Int
    /// Milliseconds since the Unix epoch.
    var wallClock: () -> Int
    /// Runs a closure on the shard's event loop, after what it does now.
    var later: (@escaping () -> Void) -> Void
    /// Tells the node.
    var tell: ([NodeInput]) -> Void
    /// Says that what is on its way in a lane has no answer.
    var unanswered: (UnansweredBatch) -> Void = { _ in }
}

/// What a connection has on its way in one lane, and what nobody has said to be done: its batch may wait, or may have been acknowledged without an
/// answer.
struct UnansweredBatch: Sendable, Equatable {
    var lane: String
    var connection: String
    var ordinals: Range<Int>
    /// Nobody waits for it any longer; else its deadline has just passed.
    var isGivenUp: Bool
}
