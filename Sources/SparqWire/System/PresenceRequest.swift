/// What a `$presence` message carries: users whose connections came or went somewhere. Whether they are present is looked up when the message
/// is worked on, so an older one does no harm.
package struct PresenceRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.presence }

    /// Whose presence may have changed.
    package var users: [String]

    /// A request of its parts.
    package init(users: [String]) { self.users = users }
}

extension PresenceRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        writer.raw(",\"users\":")
        writer.array(users) { user, writer in writer.string(user) }
    }
}
