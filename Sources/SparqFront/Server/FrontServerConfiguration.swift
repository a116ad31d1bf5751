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
