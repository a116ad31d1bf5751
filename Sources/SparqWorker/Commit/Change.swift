import SparqProtocol

/// A lasting change to who hears what. A repeat of its message makes it anew. A value without I/O.
enum Change: Hashable, Sendable {
    /// The message's own connection hears a topic, from a cursor.
    case subscribe(String, from: Int?)
    /// Connections hear a topic no more: a user's, or without a user the message's own.
    case unsubscribe(String, user: String?)
    /// Sockets are closed: the message's own, where there is no target.
    case disconnect(Target?, code: Int, reason: String)

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
        case .reply, .append, .send, .publish, .beginSession, .endSession: return nil
        }
    }

    /// Whether it changes more than the message's own connection.
    var isForOthers: Bool {
        switch self {
        case .subscribe, .unsubscribe(_, nil), .disconnect(nil, _, _): false
        case .unsubscribe, .disconnect: true
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
