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

// MARK: JSON

extension Change {
    func encode(into writer: inout JSONWriter) {
        switch self {
        case .subscribe(let topic, let cursor):
            writer.raw("{\"kind\":\"subscribe\",\"topic\":")
            writer.string(topic)
            if let cursor {
                writer.raw(",\"from\":")
                writer.integer(cursor)
            }
        case .unsubscribe(let topic, let user):
            writer.raw("{\"kind\":\"unsubscribe\",\"topic\":")
            writer.string(topic)
            if let user {
                writer.raw(",\"user\":")
                writer.string(user)
            }
        case .disconnect(let target, let code, let reason):
            writer.raw("{\"kind\":\"disconnect\",\"code\":")
            writer.integer(code)
            writer.raw(",\"reason\":")
            writer.string(reason)
            switch target {
            case .connection(let id)?:
                writer.raw(",\"connection\":")
                writer.string(id)
            case .user(let id)?:
                writer.raw(",\"user\":")
                writer.string(id)
            case nil: break
            }
        case .beginSession(let user):
            writer.raw("{\"kind\":\"begin\",\"user\":")
            writer.string(user)
        case .endSession: writer.raw("{\"kind\":\"end\"")
        }
        writer.raw("}")
    }

    /// Reads the object that comes next; `nil` where its kind is not known, or lacks something.
    init?(_ cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var kind: String?
        var topic: String?
        var connection: String?
        var user: String?
        var reason: String?
        var from: Int?
        var code: Int?
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "kind": kind = try cursor.text(in: bytes)
            case "topic": topic = try cursor.text(in: bytes)
            case "connection": connection = try cursor.text(in: bytes)
            case "user": user = try cursor.text(in: bytes)
            case "reason": reason = try cursor.text(in: bytes)
            case "from": from = try cursor.integer(in: bytes)
            case "code": code = try cursor.integer(in: bytes)
            default: try cursor.skipValue()
            }
        }
        switch (kind, topic, user, code) {
        case ("subscribe"?, let topic?, _, _): self = .subscribe(topic, from: from)
        case ("unsubscribe"?, let topic?, _, _): self = .unsubscribe(topic, user: user)
        case ("disconnect"?, _, _, let code?):
            self = .disconnect(connection.map(Target.connection) ?? user.map(Target.user), code: code, reason: reason ?? "")
        case ("begin"?, _, let user?, _): self = .beginSession(user: user)
        case ("end"?, _, _, _): self = .endSession
        default: return nil
        }
    }
}
