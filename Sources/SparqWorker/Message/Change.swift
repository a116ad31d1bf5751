import SparqWire

/// A lasting change to who hears what, or to who the client is. A repeat of its message makes it anew. A value without I/O.
enum Change: Hashable, Sendable {
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

    /// `nil` for effects of other kinds.
    ///
    /// - Parameter connection: The message's own.
    init?(_ effect: Effect, connection: String?) {
        switch effect {
        case .subscribe(let topic, let cursor): self = .subscribe(topic.rawValue, from: cursor)
        case .unsubscribe(let topic, let user): self = .unsubscribe(topic.rawValue, user: user)
        case .disconnect(let target, let code, let reason):
            let isOwn = connection.map { target == .connection($0) } ?? false
            self = .disconnect(isOwn ? nil : target, code: code, reason: reason.prefix(utf8Count: 123))
        case .beginSession(let user): self = .beginSession(user: user)
        case .endSession: self = .endSession
        case .reply, .append, .send, .publish: return nil
        }
    }

    /// Bytes that it takes on its way, at most: a topic stands there twice, and each of its bytes may be escaped.
    var size: Int {
        switch self {
        case .subscribe(let topic, _): 256 + 4 * topic.utf8.count
        case .unsubscribe(let topic, _): 512 + 2 * topic.utf8.count
        case .disconnect, .beginSession, .endSession: 1024
        }
    }

    /// Whether only the very message that made it makes it anew: it changes more than the message's own connection, or gives rights that no
    /// policy can take back.
    var needsOrigin: Bool {
        switch self {
        case .subscribe, .unsubscribe(_, nil), .disconnect(nil, _, _), .endSession: false
        case .unsubscribe, .disconnect, .beginSession: true
        }
    }
}

extension String {
    /// As much of the beginning as fits so many bytes of UTF-8, whole characters only.
    func prefix(utf8Count limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var text = self[...]
        while text.utf8.count > limit { text.removeLast() }
        return String(text)
    }
}
