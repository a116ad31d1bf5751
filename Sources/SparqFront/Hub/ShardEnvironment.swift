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
}
