/// What a front has counted since it started.
public struct FrontCounters: Sendable, Equatable {
    /// Sockets now.
    public var connections: Int
    /// Topics with a subscriber now.
    public var topics: Int
    /// Messages that came from sockets.
    public var messages: Int
    /// HTTP messages that were forwarded.
    public var requests: Int
    /// Lines that came from workers.
    public var deliveries: Int
    /// Frames of events that were written to sockets.
    public var delivered: Int
    /// Ephemeral events that were dropped for sockets that cannot keep up.
    public var dropped: Int
    /// Sockets that were closed because they could not keep up.
    public var slow: Int
    /// Messages that could not be handed to workers.
    public var unavailable: Int
    /// Durable events that were there already.
    public var duplicates: Int
    /// Durable events that came early.
    public var gaps: Int
    /// Topics asked for in `$sync` messages.
    public var syncs: Int
    /// Pages asked for in `$read` messages.
    public var reads: Int
    /// Events of topics that nobody here subscribes to.
    public var strays: Int
}
