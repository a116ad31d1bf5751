/// A lasting change to who hears what, or to who the client is. A repeat of its message makes it anew. A value without I/O.
package enum Change: Hashable, Sendable {
    /// The message's own connection hears a topic, from a cursor.
    case subscribe(String, from: Int?)
    /// Connections hear a topic no more: a user's, or without a user the message's own.
    case unsubscribe(String, user: String?)
    /// Sockets are closed: the message's own, where there is no target.
    case disconnect(Target?, code: Int, reason: String)
    /// The client is a user from now on. Only the name: the front makes the token.
    case beginSession(user: String)
    /// The client is nobody from now on.
    case endSession

    /// Whether only the very message that made it makes it anew: it changes more than the message's own connection, or gives rights that no
    /// policy can take back.
    package var needsOrigin: Bool {
        switch self {
        case .subscribe, .unsubscribe(_, nil), .disconnect(nil, _, _), .endSession: false
        case .unsubscribe, .disconnect, .beginSession: true
        }
    }
}
