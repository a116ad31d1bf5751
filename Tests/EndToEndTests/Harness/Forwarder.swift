import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A TCP port that leads to a server once it is switched on: a server that is absent at first, or one of two. It may speak TLS, as a proxy does.
actor Forwarder {
    let port: Int
    private let host: String
    private var listener: (any Channel)?
    private let counter = Counter()
    private let links = Links()
    private let target: Target
    private let tls: NIOSSLContext?

    private final class Counter: Sendable {
        let bytes = Atomic(0)
        /// Connections that were made under an earlier number carry nothing any more.
        let epoch = Atomic(0)
    }

    /// Where new connections lead.
    private final class Target: Sendable {
        let port: Atomic<Int>
        init(_ port: Int) { self.port = Atomic(port) }
    }

    /// All connections that came.
    private final class Links: Sendable {
        let channels = Mutex<[any Channel]>([])
    }

    /// From now on the connections that there are lead nowhere, and nobody is told: bytes vanish, ends too. New ones work.
    nonisolated func swallow() { counter.epoch.add(1, ordering: .relaxed) }

    /// How many connections came.
    nonisolated var connections: Int { links.channels.withLock { $0.count } }

    /// How many bytes the server has sent.
    nonisolated var bytesFromServer: Int { counter.bytes.load(ordering: .relaxed) }

    /// Takes a free port, and gives it back until `open()`.
    ///
    /// - Parameter tls: What it is to clients; to the server it speaks plain TCP.
    init(toHost host: String, port targetPort: Int, tls: NIOSSLContext? = nil) async throws {
        self.host = host
        self.tls = tls
        target = Target(targetPort)
        let probe = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        port = probe.localAddress?.port ?? 0
        try await probe.close()
    }

    func open() async throws {
        let (host, target, counter, links, tls) = (host, target, counter, links, tls)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { near in
                links.channels.withLock { $0.append(near) }
                return ClientBootstrap(group: near.eventLoop)
                    .channelInitializer { far in
                        far.eventLoop.makeCompletedFuture {
                            try far.pipeline.syncOperations.addHandler(Pipe(to: near, counter, counts: true))
                        }
                    }
                    .connect(host: host, port: target.port.load(ordering: .relaxed))
                    .flatMap { far in
                        near.eventLoop.makeCompletedFuture {
                            if let tls { try near.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                            try near.pipeline.syncOperations.addHandler(Pipe(to: far, counter, counts: false))
                        }
                        .flatMap { near.setOption(.autoRead, value: true) }
                    }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// A forwarder to the server of a URL.
    init(to url: String, defaultPort: Int) async throws {
        let parts = URLComponents(string: url)
        try await self.init(toHost: parts?.host ?? "127.0.0.1", port: parts?.port ?? defaultPort)
    }

    func close() async { try? await listener?.close() }

    /// Leads new connections to another server, and cuts those that there are.
    func turn(to port: Int) async {
        target.port.store(port, ordering: .relaxed)
        for channel in links.channels.withLock({ $0 }) { try? await channel.close() }
    }

    private final class Pipe: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let counter: Counter
        private let counts: Bool
        private let epoch: Int

        init(to other: any Channel, _ counter: Counter, counts: Bool) {
            self.other = other
            self.counter = counter
            self.counts = counts
            epoch = counter.epoch.load(ordering: .relaxed)
        }

        private var isSwallowed: Bool { counter.epoch.load(ordering: .relaxed) != epoch }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            if isSwallowed { return }
            if counts { counter.bytes.add(bytes.readableBytes, ordering: .relaxed) }
            other.writeAndFlush(bytes, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { if !isSwallowed { other.close(promise: nil) } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
