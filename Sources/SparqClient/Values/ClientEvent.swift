public import SparqWire

/// What a ``SparqClient`` tells its owner, in the order in which it happened.
public enum ClientEvent: Equatable, Sendable {
    /// A socket is open and its session known; comes again after every reconnect.
    case connected(Welcome)
    /// The socket is gone; the client comes back by itself. `nil` where no close frame was seen.
    case disconnected(closeCode: Int?)
    /// An event. Those with a `seq` come once each and in order.
    case event(ServerEvent)
    /// The topic's log no longer reaches back to the cursor: what lies between is lost, and the next event is `first`.
    case truncated(topic: String, after: Int, first: Int)
    /// An event came that is not the next one of its topic: a fault of the server's. The event follows.
    case gap(topic: String, cursor: Int, seq: Int)
    /// A topic that the client had is refused after a reconnect.
    case lost(topic: String, reason: ErrorCode)
}

/// How a client stands.
public enum ClientState: Equatable, Sendable {
    /// `run()` has not been called.
    case idle
    /// Waiting for the next attempt, or in the middle of one.
    case connecting
    /// The session is open.
    case ready
    /// Closed, or given up.
    case finished
}
