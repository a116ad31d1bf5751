import NIOCore
import SparqWire

/// The frames that the front itself says to clients.
enum Frames {
    /// `$welcome`: the first frame of every socket.
    static func welcome(connection: String, user: String, settings: ConnectionSettings) -> ByteBuffer {
        frame { writer in
            writer.raw("{\"type\":\"$welcome\",\"connection\":")
            writer.string(connection)
            writer.raw(",\"user\":")
            writer.string(user)
            writer.raw(",\"node\":")
            writer.string(settings.node)
            writer.raw(",\"heartbeat_ms\":")
            writer.integer(settings.heartbeatMilliseconds)
            writer.raw(",\"limits\":{\"message_bytes\":")
            writer.integer(settings.messageBytes)
            writer.raw(",\"topics\":")
            writer.integer(settings.topics)
            writer.raw(",\"in_flight\":")
            writer.integer(settings.inFlight)
            writer.raw(",\"messages_per_second\":")
            writer.integer(settings.messagesPerSecond)
            writer.raw(",\"burst\":")
            writer.integer(settings.burst)
            writer.raw("}}")
        }
    }

    /// `$reconnect`: the front goes away.
    static func reconnect(afterMilliseconds: Int) -> ByteBuffer {
        frame { writer in
            writer.raw("{\"type\":\"$reconnect\",\"after_ms\":")
            writer.integer(afterMilliseconds)
            writer.raw("}")
        }
    }

    /// What a client asks whether anybody is there with: pages do not see the socket's own pings.
    static let pingType = "$ping"

    /// `$pong`: the answer to `$ping`.
    static var pong: ByteBuffer { frame { $0.raw("{\"type\":\"$pong\"}") } }

    /// `$truncated`: the log no longer reaches back to the cursor.
    static func truncated(topic: String, after: Int, first: Int) -> ByteBuffer {
        frame { writer in
            writer.raw("{\"type\":\"$truncated\",\"topic\":")
            writer.string(topic)
            writer.raw(",\"after\":")
            writer.integer(after)
            writer.raw(",\"first\":")
            writer.integer(first)
            writer.raw("}")
        }
    }

    /// An error reply.
    static func error(_ code: ErrorCode, _ message: String, re: String?) -> ByteBuffer {
        frame { errorBody(code, message, re: re, into: &$0) }
    }

    /// The JSON text of an error reply.
    static func errorBody(_ code: ErrorCode, _ message: String, re: String?) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: 128)
        errorBody(code, message, re: re, into: &writer)
        return writer.bytes
    }

    private static func errorBody(_ code: ErrorCode, _ message: String, re: String?, into writer: inout JSONWriter) {
        writer.raw("{")
        if let re {
            writer.raw("\"re\":")
            writer.string(re)
            writer.raw(",")
        }
        writer.raw("\"ok\":false,\"error\":{\"code\":")
        writer.string(code.rawValue)
        writer.raw(",\"message\":")
        writer.string(message)
        writer.raw("}}")
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
