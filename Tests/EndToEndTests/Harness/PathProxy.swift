import Foundation
import NIOCore
import NIOPosix

/// A proxy that has a front under a path, and strips it: `/chat/ws` becomes `/ws`. Elsewhere there is nothing.
final class PathProxy: Sendable {
    private let listener: any Channel
    private let path: String

    /// The address of the front's page.
    var page: String { "http://127.0.0.1:\(listener.localAddress?.port ?? 0)\(path)/" }

    init(_ path: String, to front: Front) async throws {
        self.path = path
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { near in
                near.eventLoop.makeCompletedFuture { try near.pipeline.syncOperations.addHandler(Near(path, front.port)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }

    func close() async { try? await listener.close() }

    /// One request for each connection, and what follows an upgrade.
    private final class Near: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let path: String
        private let port: Int
        private var waiting = ByteBuffer()
        private var isAsked = false
        private var far: (any Channel)?

        init(_ path: String, _ port: Int) { (self.path, self.port) = (path, port) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            waiting.writeImmutableBuffer(unwrapInboundIn(data))
            if !isAsked { ask(context) }
            pass()
        }

        func channelInactive(context: ChannelHandlerContext) { far?.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        private func ask(_ context: ChannelHandlerContext) {
            let text = String(buffer: waiting)
            guard let end = text.range(of: "\r\n\r\n") else { return }
            isAsked = true
            var lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
            let request = lines[0].split(separator: " ")
            guard request.count == 3, request[1].hasPrefix(path + "/") else {
                let answer = ByteBuffer(string: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
                return
            }
            lines[0] = "\(request[0]) \(request[1].dropFirst(path.count)) \(request[2])"
            if !lines.contains(where: { $0.lowercased() == "upgrade: websocket" }) {
                lines = lines.filter { !$0.lowercased().hasPrefix("connection:") } + ["Connection: close"]
            }
            waiting.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
            var bytes = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
            bytes.writeBuffer(&waiting)
            waiting = bytes
            let near = context.channel
            ClientBootstrap(group: near.eventLoop)
                .channelInitializer { far in
                    far.eventLoop.makeCompletedFuture { try far.pipeline.syncOperations.addHandler(Far(to: near)) }
                }
                .connect(host: "127.0.0.1", port: port)
                .assumeIsolated().whenComplete { result in
                    guard case .success(let far) = result else { return near.close(promise: nil) }
                    self.far = far
                    self.pass()
                }
        }

        private func pass() {
            guard let far, waiting.readableBytes > 0 else { return }
            far.writeAndFlush(waiting, promise: nil)
            waiting = ByteBuffer()
        }
    }

    private final class Far: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let near: any Channel

        init(to near: any Channel) { self.near = near }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { near.writeAndFlush(unwrapInboundIn(data), promise: nil) }
        func channelInactive(context: ChannelHandlerContext) { near.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
