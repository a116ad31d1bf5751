import Hummingbird
public import Logging
import NIOCore
import NIOHTTP1
public import ServiceLifecycle
import SparqWebSocket

/// A front that sends every WebSocket message back, on the same frame path as the real one. For conformance tests.
public struct EchoServer: Service {
    struct Acceptor: SocketAcceptor {
        func decide(
            _ head: NIOHTTP1.HTTPRequestHead,
            from remoteAddress: SocketAddress?,
            on eventLoop: any EventLoop
        ) -> EventLoopFuture<SocketDecision<Bool>> {
            eventLoop.makeSucceededFuture(.accept(true))
        }

        func makeSession(_ context: Bool, socket: Socket) -> EchoSession { EchoSession(socket: socket) }
    }

    private let server: FrontServer<Acceptor, RouterResponder<BasicRequestContext>>
    private let logger: Logger

    /// - Parameters:
    ///   - port: 0 takes a free one and logs it.
    ///   - maxMessageSize: bytes of one message; the Autobahn suite sends up to 16 MiB.
    public init(host: String, port: Int, maxMessageSize: Int = 32 << 20, logger: Logger) {
        var configuration = FrontServerConfiguration()
        configuration.host = host
        configuration.port = port
        configuration.socketPath = "/"
        configuration.socket.maxMessageSize = maxMessageSize
        self.logger = logger
        self.server = FrontServer(
            configuration: configuration,
            acceptor: Acceptor(),
            responder: Router().buildResponder(),
            logger: logger
        )
    }

    /// Runs until a graceful shutdown; open sockets are told to go and have the close timeout to do so.
    public func run() async throws {
        let server = self.server
        let logger = self.logger
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                guard let port = await server.port else { return }
                logger.info("Echo server is listening", metadata: ["port": "\(port)"])
            }
            try await server.run()
        }
        server.sockets.closeAll(.goingAway)
        await server.sockets.allClosed()
    }
}
