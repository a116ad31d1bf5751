/// What a client counted since it was made.
public struct ClientCounters: Equatable, Sendable {
    /// Durable events handed on.
    public var events = 0
    /// Durable events that came a second time and were dropped. A correct server leaves it at 0.
    public var repeated = 0
    /// Durable events that were not the next of their topic. A correct server leaves it at 0.
    public var gaps = 0
    /// Durable events that came behind a later one and were dropped. A correct server leaves it at 0.
    public var inverted = 0
    /// Durable events ahead of a cursor that was being subscribed again, dropped since they come again behind it.
    public var early = 0
    /// Sockets that got a `$welcome`.
    public var connections = 0
    /// Messages written more than once.
    public var resent = 0
    /// Answers of `unavailable` and `rate_limited`, after which a message or subscription was written again.
    public var passing = 0
    /// Sockets that ended unannounced: no `$reconnect` before, and no close code 1012.
    public var unannounced = 0
    /// Replies that nobody waited for any more.
    public var strayReplies = 0
    /// Frames that could not be read.
    public var malformed = 0
}
