/// Whether a pool reaches its database.
public enum PostgresPoolState: Sendable, Hashable {
    /// No attempt has ended yet.
    case connecting
    /// At least one connection stands.
    case ready
    /// The last attempt failed and no connection stands; the pool goes on trying.
    case unavailable
    /// The pool has shut down.
    case closed
}
