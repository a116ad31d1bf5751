/// What a `$presence` message carries: users whose connections came or went somewhere. Whether they are present is looked up when the message
/// is worked on, so an older one does no harm.
public struct PresenceRequest: Codable, Equatable, Sendable {
    /// Whose presence may have changed.
    public var users: [String]

    /// A request of its parts.
    public init(users: [String]) { self.users = users }
}
