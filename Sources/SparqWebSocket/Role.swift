/// The side of a connection that this process plays. It decides who masks (RFC 6455, section 5.1).
public enum Role: Sendable {
    /// Frames that come in must be masked, frames that go out must not.
    case server
    /// Frames that come in must not be masked, frames that go out must.
    case client
}
