/// Where a ``Publisher`` or ``Consumer`` stands with its broker.
public enum ConnectionState: Sendable, Hashable {
    /// Trying, for the `attempt`th time since it was last connected; `lastError` is why the one before failed.
    case connecting(attempt: Int, lastError: AMQPError?)
    /// Connected, topology declared, working. Comes again where the broker had lost the queue and it was declared anew.
    case connected
    /// Connected, but the broker takes no messages for now (`connection.blocked`: out of memory or disk). `connected` follows.
    case blocked(reason: String)
    /// The connection, or the attempt to make one, failed. `connecting` follows after a delay.
    case disconnected(AMQPError)
    /// Ended for good.
    case closed
}
