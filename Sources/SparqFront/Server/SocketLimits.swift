import NIOCore

/// The limits of one WebSocket.
struct SocketLimits: Sendable {
    /// Bytes of one incoming message, fragments added up; above it the socket closes with 1009.
    var maxMessageSize = 64 * 1024
    /// A ping goes out this long after the last one was answered.
    var pingInterval: TimeAmount = .seconds(25)
    /// A socket that shows no sign of life this long after a ping is dead.
    var pongTimeout: TimeAmount = .seconds(10)
    /// The time for the peer's part of a close, from our close frame to the end of TCP.
    var closeTimeout: TimeAmount = .seconds(5)
    /// Bytes waiting to be written at which a socket counts as not writable, and at which again as writable.
    var writeBufferWaterMark = ChannelOptions.Types.WriteBufferWaterMark(low: 32 * 1024, high: 64 * 1024)
}
