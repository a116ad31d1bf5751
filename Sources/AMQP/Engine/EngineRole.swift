/// What a connection is for: publishing or consuming. Lives on the connection's thread; none of it may block for long.
protocol EngineRole {
    /// Whether there is something to write that waits for room in the socket.
    var awaitsRoom: Bool { get set }
    /// Whether nothing is left to do, in a drain.
    var isDrained: Bool { get }
    /// The connection is there and the topology declared: get going.
    mutating func opened(_ link: Link) throws(AMQPError)
    /// Writes what has been asked for since the last time.
    mutating func work(_ link: Link) throws(AMQPError)
    /// The broker said something.
    mutating func receive(_ event: Inbound, _ link: Link) throws(AMQPError)
    /// Everything that arrived together has been received: hand it on.
    mutating func flush()
    /// No new work from now on. Called in every turn of a drain.
    mutating func drain(_ link: Link) throws(AMQPError)
    /// The connection is gone.
    mutating func lost(_ error: AMQPError)
}
