import SparqWire

extension Change {
    /// What an effect changes for good; `nil` for effects of other kinds.
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
