public import NIOCore

extension WebSocketMachine {
    /// What the owner of the connection is to do or to know.
    public enum Action: Equatable, Sendable {
        /// One whole text message, valid UTF-8.
        case text(ByteBuffer)
        /// One whole binary message.
        case binary(ByteBuffer)
        /// The peer asked for a pong with this payload. Of several pings without an answer the last one's suffices (RFC 6455, section 5.5.3).
        case ping(ByteBuffer)
        /// A pong came, with this payload.
        case pong(ByteBuffer)
        /// The peer closed. Write `answer` if there is one (it is nil where this close answers ours), then end the TCP connection.
        case close(Close, answer: ByteBuffer?)
        /// The peer broke the protocol. Write `frame`, a close frame (nil where one was written before), then end the TCP connection.
        case fail(Close, frame: ByteBuffer?)
    }
}
