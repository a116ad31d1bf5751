import Foundation
import NIOCore
import NIOPosix
import SparqWebSocket

/// A TCP connection that speaks WebSocket only as far as a test wants it to.
final class TestClient {
    let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.Iterator
    private var bytes = ByteBuffer()
    private var machine = WebSocketMachine(role: .client, maxMessageSize: 1 << 24)
    let encoder = FrameEncoder(role: .client)

    private init(channel: any Channel, incoming: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.incoming = incoming.makeAsyncIterator()
    }

    static func connect(_ port: Int, reads: Bool = true) async throws -> TestClient {
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(continuation)) }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestClient(channel: channel, incoming: stream)
    }

    /// Connects and upgrades.
    static func open(_ port: Int, uri: String = "/ws") async throws -> TestClient {
        let client = try await self.connect(port)
        try await client.send(Self.handshake(uri))
        let head = await client.head()
        guard head.hasPrefix("HTTP/1.1 101") else { throw Unexpected(head) }
        return client
    }

    static let get = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"

    static func handshake(_ uri: String = "/ws", version: String = "13", key: String = "dGhlIHNhbXBsZSBub25jZQ==") -> String {
        "GET \(uri) HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
            + "Sec-WebSocket-Version: \(version)\r\nSec-WebSocket-Key: \(key)\r\n\r\n"
    }

    func send(_ text: String) async throws { try await self.channel.writeAndFlush(ByteBuffer(string: text)) }

    func send(frame: ByteBuffer) async throws { try await self.channel.writeAndFlush(frame) }

    /// What comes up to the empty line, or to the end.
    func head() async -> String {
        while true {
            let text = String(buffer: self.bytes)
            if let end = text.range(of: "\r\n\r\n") {
                let head = String(text[..<end.upperBound])
                self.bytes.moveReaderIndex(forwardBy: head.utf8.count)
                return head
            }
            guard var more = await self.incoming.next() else { return text }
            self.bytes.writeBuffer(&more)
        }
    }

    /// One response, head and body; `Content-Length` says how long it is.
    func response() async -> String {
        let head = await self.head()
        let length =
            head.lowercased().components(separatedBy: "content-length: ").dropFirst().first.flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
        while self.bytes.readableBytes < length, var more = await self.incoming.next() { self.bytes.writeBuffer(&more) }
        return head + (self.bytes.readString(length: min(length, self.bytes.readableBytes)) ?? "")
    }

    /// Everything up to the end of the connection.
    func rest() async -> String {
        while var more = await self.incoming.next() { self.bytes.writeBuffer(&more) }
        return String(buffer: self.bytes)
    }

    /// The next thing that the server sent; nil at the end of the connection.
    func next() async -> WebSocketMachine.Action? {
        while true {
            if let action = self.machine.next() { return action }
            if self.bytes.readableBytes > 0 {
                self.machine.receive(self.bytes)
                self.bytes = ByteBuffer()
                continue
            }
            guard let more = await self.incoming.next() else { return nil }
            self.machine.receive(more)
        }
    }

    struct Unexpected: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let continuation: AsyncStream<ByteBuffer>.Continuation

        init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.continuation.yield(self.unwrapInboundIn(data)) }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed = event { self.continuation.finish() }
        }

        func channelInactive(context: ChannelHandlerContext) { self.continuation.finish() }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
