import FaultLog
import Hummingbird
import HummingbirdCore
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import ServiceLifecycle
import SparqWebSocket

/// One port for HTTP routes and WebSockets.
///
/// On a graceful shutdown it accepts no more connections, answers the requests that are open or on their way within
/// ``FrontServerConfiguration/shutdownTimeout``, and returns. Open WebSockets stay: draining them is the caller's, by ``sockets``.
struct FrontServer<Acceptor: SocketAcceptor, Responder: HTTPResponder>: Service
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// The open WebSockets.
    let sockets: SocketRegistry

    private let application: Application<Responder>
    private let boundPort: BoundPort
    private let shutdownTimeout: Duration

    /// - Parameters:
    ///   - responder: answers HTTP requests, usually a router's `buildResponder()`.
    ///   - eventLoopGroup: must outlive the open WebSockets, not only ``run()``.
    init(
        configuration: FrontServerConfiguration,
        acceptor: Acceptor,
        responder: Responder,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) {
        let registry = SocketRegistry(limits: configuration.socket)
        let boundPort = BoundPort()
        self.sockets = registry
        self.boundPort = boundPort
        self.shutdownTimeout = configuration.shutdownTimeout
        self.application = Application(
            responder: responder,
            server: HTTPServerBuilder { _ in
                FrontChannel(
                    responder: responder,
                    sockets: SocketEnvironment(
                        acceptor: acceptor,
                        configuration: configuration,
                        registry: registry,
                        undecided: FaultLog(logger)
                    ),
                    logger: logger
                )
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                backlog: configuration.backlog,
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.maxConnections, logger: logger)
            ),
            onServerRunning: { boundPort.bound($0.localAddress?.port) },
            eventLoopGroupProvider: .shared(eventLoopGroup),
            logger: logger
        )
    }

    /// The port that the server listens on. Waits until it does; nil if it ended before.
    var port: Int? {
        get async { await self.boundPort.value }
    }

    /// Runs until a graceful shutdown or cancellation.
    func run() async throws {
        defer { self.boundPort.bound(nil) }
        let application = self.application
        let timeout = self.shutdownTimeout
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await application.run()
                return true
            }
            group.addTask {
                // Ends the wait for HTTP requests that do not finish.
                try? await gracefulShutdown()
                if !Task.isCancelled { try? await Task.sleep(for: timeout) }
                return false
            }
            _ = try await group.next()
            group.cancelAll()
            while try await group.next() != nil {}
        }
    }
}
