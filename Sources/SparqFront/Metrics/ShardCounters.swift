/// What a shard has counted since it started.
struct ShardCounters: Sendable, Equatable {
    /// Sockets now.
    var connections = 0
    /// Messages that came from sockets.
    var messages = 0
    /// HTTP requests that were forwarded.
    var requests = 0
    /// Frames of events that were written to sockets.
    var delivered = 0
    /// Ephemeral events that were dropped for sockets that cannot keep up.
    var dropped = 0
    /// Sockets that were closed because they could not keep up.
    var slow = 0
    /// Messages that could not be handed to workers: no queue, no room, or too large for the broker.
    var unavailable = 0

    static func + (left: ShardCounters, right: ShardCounters) -> ShardCounters {
        ShardCounters(
            connections: left.connections + right.connections,
            messages: left.messages + right.messages,
            requests: left.requests + right.requests,
            delivered: left.delivered + right.delivered,
            dropped: left.dropped + right.dropped,
            slow: left.slow + right.slow,
            unavailable: left.unavailable + right.unavailable
        )
    }
}
