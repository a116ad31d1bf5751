/// Who may send a message of a type.
public enum Access: Sendable, Hashable {
    /// Anonymous clients too, for logging in and the like.
    case anyone
    /// Only clients that are logged in; others get the error `unauthenticated`.
    case user
}
