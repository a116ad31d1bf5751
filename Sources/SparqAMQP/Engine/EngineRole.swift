/// What a connection is for: publishing or consuming. Lives on the connection's thread; none of it may block for long.
protocol EngineRole {
    /// Whether there is something to write that waits for room in the socket.
    var awaitsRoom: Bool { get set }
    /// Whether nothing is left to do, in a drain.
    var isDrained: Bool { get }
    /// The connection is there and the topology declared: get going.
    mutating func opened(_ link: Link) throws(AMQPError)
    /// Writes what has been asked for since the last time, and what is due.
    mutating func work(_ link: Link, now: ContinuousClock.Instant) throws(AMQPError)
    /// The broker said something.
    mutating func receive(_ event: Inbound, _ link: Link) throws(AMQPError)
    /// Everything that arrived together has been received: hand it on.
    mutating func flush()
    /// The connection is about to be closed without a drain: writes what would be a pity to lose.
    mutating func lastWords(_ link: Link)
    /// The connection is gone.
    mutating func lost(_ error: AMQPError)
}
