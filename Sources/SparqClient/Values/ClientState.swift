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
