import FaultLog
import NIOCore
import NIOHTTP1

/// Decides who may have a WebSocket, before the upgrade.
protocol SocketAcceptor: Sendable {
    /// What the decision learned and the session needs, such as the user.
    associatedtype Context: Sendable
    /// The owner of the accepted socket.
    associatedtype Session: SocketSession

    /// Called on the connection's event loop; the future may be completed anywhere. A failed future refuses with 503.
    /// The connection reads nothing until then, and the handshake's deadline runs on.
    func decide(_ head: HTTPRequestHead, from remoteAddress: SocketAddress?, on eventLoop: any EventLoop) -> EventLoopFuture<
        SocketDecision<Context>
    >

    /// Called on the socket's event loop, before ``SocketSession/opened()``.
    func makeSession(_ context: Context, socket: Socket) -> Session
}

/// The answer to a request for a WebSocket.
enum SocketDecision<Context: Sendable>: Sendable {
    /// Upgrade, with these headers added to the 101.
    case accept(Context, headers: HTTPHeaders = [:])
    /// Answer with an HTTP error and close.
    case refuse(Refusal)
}

/// What a connection needs to become a WebSocket; the same for all.
struct SocketEnvironment<Acceptor: SocketAcceptor>: Sendable {
    let acceptor: Acceptor
    let configuration: FrontServerConfiguration
    let registry: SocketRegistry
    /// WebSockets that could not be decided about.
    let undecided: FaultLog
}
