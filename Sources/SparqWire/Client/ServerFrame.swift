/// Whatever a server sends to a client.
package enum ServerFrame: Equatable, Sendable {
    case welcome(WelcomeFrame)
    /// `$subscribed` or `$offered`.
    case subscribed(SubscribedFrame)
    case reconnect(ReconnectFrame)
    case truncated(TruncatedFrame)
    case pong(PongFrame)
    case reply(ReplyBody)
    /// Also a system frame that this version does not know.
    case event(EventBody)

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        switch self {
        case .welcome(let frame): frame.encode(into: &writer)
        case .subscribed(let frame): frame.encode(into: &writer)
        case .reconnect(let frame): frame.encode(into: &writer)
        case .truncated(let frame): frame.encode(into: &writer)
        case .pong(let frame): frame.encode(into: &writer)
        case .reply(let body): body.encode(into: &writer)
        case .event(let body): body.encode(into: &writer)
        }
    }

    /// Reads a whole frame.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var isReply = false
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            if JSONCursor.matches(key, "type", in: bytes) {
                type = try cursor.optionalText(in: bytes)
            } else {
                if JSONCursor.matches(key, "ok", in: bytes) { isReply = true }
                try cursor.skipValue(depth: 1)
            }
        }
        if isReply {
            self = .reply(try ReplyBody(decoding: text))
            return
        }
        switch type {
        case WelcomeFrame.type: self = .welcome(try WelcomeFrame(decoding: text))
        case SubscribedFrame.type, SubscribedFrame.offerType: self = .subscribed(try SubscribedFrame(decoding: text))
        case ReconnectFrame.type: self = .reconnect(try ReconnectFrame(decoding: text))
        case TruncatedFrame.type: self = .truncated(try TruncatedFrame(decoding: text))
        case PongFrame.type: self = .pong(try PongFrame(decoding: text))
        default: self = .event(try EventBody(decoding: text))
        }
    }
}
