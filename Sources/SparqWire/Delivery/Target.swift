/// Whom an instruction is for: one connection, or all of a user's on the node.
public enum Target: Hashable, Sendable {
    /// One connection.
    case connection(String)
    /// All connections of a user.
    case user(String)
}
