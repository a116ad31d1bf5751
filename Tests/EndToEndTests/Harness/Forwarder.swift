import NIOCore
import NIOPosix

/// A TCP port that leads to a server once it is switched on: a server that is absent at first.
actor Forwarder {
    let port: Int
    private let host: String
    private let targetPort: Int
    private var listener: (any Channel)?

    /// Takes a free port, and gives it back until `open()`.
    init(toHost host: String, port targetPort: Int) async throws {
        self.host = host
        self.targetPort = targetPort
        let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        port = probe.localAddress?.port ?? 0
        try await probe.close()
    }

    func open() async throws {
        let (host, targetPort) = (host, targetPort)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in
                ClientBootstrap(group: near.eventLoop)
                    .channelInitializer { far in
                        far.eventLoop.makeCompletedFuture { try far.pipeline.syncOperations.addHandler(Pipe(to: near)) }
                    }
                    .connect(host: host, port: targetPort)
                    .flatMap { far in
                        near.eventLoop.makeCompletedFuture { try near.pipeline.syncOperations.addHandler(Pipe(to: far)) }
                            .flatMap { near.setOption(.autoRead, value: true) }
                    }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    func close() async { try? await listener?.close() }

    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        init(to other: any Channel) { self.other = other }
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { other.writeAndFlush(unwrapInboundIn(data), promise: nil) }
        func channelInactive(context: ChannelHandlerContext) { other.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
