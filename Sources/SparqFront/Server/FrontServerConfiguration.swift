import NIOCore
import NIOHTTP1

/// Where the front listens, and within what limits.
struct FrontServerConfiguration: Sendable {
    var host = "127.0.0.1"
    /// 0 takes a free port; ``FrontServer/port`` tells which.
    var port = 8080
    /// The one path at which a WebSocket can be opened.
    var socketPath = "/ws"
    var socket = SocketLimits()
    /// For a request's head, from its first byte; of a new connection from its beginning. Once more for the decision about a handshake.
    var handshakeTimeout: TimeAmount = .seconds(10)
    /// For a request's body, from its head on.
    var bodyTimeout: TimeAmount = .seconds(30)
    /// For a client to take a response; a second more for each ``responseBytesPerSecond``.
    var responseTimeout: TimeAmount = .seconds(60)
    var responseBytesPerSecond = 64 * 1024
    /// An HTTP connection without a request for this long is closed.
    var httpIdleTimeout: TimeAmount = .seconds(60)
    /// While the server goes away, a request that is on its way is awaited for this long.
    var leavingTimeout: TimeAmount = .milliseconds(500)
    /// Bytes of all headers of a request.
    var maxHeaderSize = 16 * 1024
    /// Bytes of a request's body.
    var maxBodySize = 64 * 1024
    /// At this many TCP connections no more are accepted; they wait in the kernel's backlog.
    var maxConnections = 100_000
    var backlog = 4096
    /// Headers of what is answered without a route: refusals, and failures.
    var refusalHeaders: HTTPHeaders = ["X-Content-Type-Options": "nosniff"]
    /// HTTP requests that a graceful shutdown finds open have this long to finish.
    var shutdownTimeout: Duration = .seconds(10)

    /// Bytes of a connection in a row that may be no whole part of a request: some of a head, and the read that it came in.
    var unparsedBytes: Int { 2 * self.maxHeaderSize + 32 * 1024 }
}

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
