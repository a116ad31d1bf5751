import NIOCore
import SparqWire

/// The frames that the front itself says to clients, ready for sockets.
enum Frames {
    /// `$welcome`: the first frame of every socket.
    static func welcome(connection: String, user: String, settings: ConnectionSettings) -> ByteBuffer {
        var limits = WelcomeFrame.Limits()
        limits.messageBytes = settings.messageBytes
        limits.topics = settings.topics
        limits.inFlight = settings.inFlight
        limits.messagesPerSecond = settings.messagesPerSecond
        limits.burst = settings.burst
        let welcome = WelcomeFrame(
            connection: connection,
            user: user,
            node: settings.node,
            heartbeatMilliseconds: settings.heartbeatMilliseconds,
            limits: limits
        )
        return frame { welcome.encode(into: &$0) }
    }

    /// `$reconnect`: the front goes away.
    static func reconnect(afterMilliseconds: Int) -> ByteBuffer {
        frame { ReconnectFrame(afterMilliseconds: afterMilliseconds).encode(into: &$0) }
    }

    /// `$pong`: the answer to `$ping`.
    static var pong: ByteBuffer { frame { PongFrame().encode(into: &$0) } }

    /// `$truncated`: the log no longer reaches back to the cursor.
    static func truncated(topic: String, after: Int, first: Int) -> ByteBuffer {
        frame { TruncatedFrame(topic: topic, after: after, first: first).encode(into: &$0) }
    }

    /// An error reply.
    static func error(_ code: ErrorCode, _ message: String, re: String?) -> ByteBuffer {
        TextFrame.encode(ReplyBody.error(id: re, ErrorBody(code, message)))
    }

    /// The JSON text of an error reply.
    static func errorBody(_ code: ErrorCode, _ message: String, re: String?) -> [UInt8] {
        Array(ReplyBody.error(id: re, ErrorBody(code, message)))
    }

    private static func frame(_ body: (inout JSONWriter) -> Void) -> ByteBuffer {
        var writer = JSONWriter(reservingCapacity: 256)
        body(&writer)
        return TextFrame.encode(writer.bytes[...])
    }
}

extension ErrorCode {
    /// The sentence that goes with `unavailable` where nobody said a better one.
    static let unavailableMessage = "No answer in time; the message may be sent again under the same id."
    /// The sentence for a message that never reached a worker.
    static func undeliveredMessage(_ code: ErrorCode) -> String {
        code == .tooLarge ? "The message is larger than the server's broker takes." : unavailableMessage
    }
    /// The sentence where a lane stands still and has all that it may hold.
    static let fullLaneMessage = "Too many messages of this kind wait for an answer; send it again a little later."
    /// The sentence where there was nobody to ask.
    static let unservedMessage = "The server cannot take messages now; send it again a little later."
}
