import Foundation
import NIOCore
import NIOPosix
import SparqWebSocket

/// A socket that sends what no proper client would: bytes and frames of one's own, and sees every answer.
final class RawSocket: Sendable {
    enum Incoming: Equatable, Sendable {
        case text(String)
        case close(Int)
        /// TCP ended without a close frame.
        case end
    }

    private let channel: any Channel
    private let inbox: Inbox
    let encoder = FrameEncoder(role: .client)

    /// What came in and was not asked for yet.
    private actor Inbox {
        private var items: [Incoming] = []
        func put(_ item: Incoming) { items.append(item) }
        func take() -> Incoming? { items.isEmpty ? nil : items.removeFirst() }
    }

    struct Refused: Error {
        let status: Int
    }

    private init(channel: any Channel, stream: AsyncStream<Incoming>) {
        self.channel = channel
        let inbox = Inbox()
        self.inbox = inbox
        Task { for await item in stream { await inbox.put(item) } }
    }

    /// Upgrades; throws ``Refused`` with the status otherwise.
    static func open(_ front: Front, headers: [String: String] = [:], query: String = "") async throws -> RawSocket {
        let (stream, continuation) = AsyncStream.makeStream(of: Incoming.self)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let upgraded = loop.makePromise(of: Int.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(continuation, upgraded))
                }
            }
            .connect(host: "127.0.0.1", port: front.port).get()
        var request = "GET /ws\(query) HTTP/1.1\r\nHost: 127.0.0.1:\(front.port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        request += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Handshake.makeKey())\r\n"
        for (name, value) in headers { request += "\(name): \(value)\r\n" }
        try await channel.writeAndFlush(ByteBuffer(string: request + "\r\n"))
        let status = try await upgraded.futureResult.get()
        guard status == 101 else {
            try? await channel.close()
            throw Refused(status: status)
        }
        return RawSocket(channel: channel, stream: stream)
    }

    func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }
    func send(text: String) async throws { try await send(encoder.text(text)) }

    func next(within limit: Duration = .seconds(15)) async throws -> Incoming {
        try await eventually("something came in", within: limit) { await inbox.take() }
    }

    /// The next frame that is a reply, as a JSON object.
    func reply(within limit: Duration = .seconds(15)) async throws -> [String: Any] {
        while true {
            guard case .text(let text) = try await next(within: limit) else {
                throw TimedOut(description: "The socket closed before the reply.")
            }
            let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
            if object["ok"] != nil { return object }
        }
    }

    /// The code of the next close frame.
    func closeCode() async throws -> Int? {
        while true {
            switch try await next() {
            case .text: continue
            case .close(let code): return code
            case .end: return nil
            }
        }
    }

    func close() async { try? await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let items: AsyncStream<Incoming>.Continuation
        private let upgraded: EventLoopPromise<Int>
        private var head = ByteBuffer()
        private var machine: WebSocketMachine?

        init(_ items: AsyncStream<Incoming>.Continuation, _ upgraded: EventLoopPromise<Int>) {
            self.items = items
            self.upgraded = upgraded
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            if machine == nil {
                head.writeBuffer(&bytes)
                let text = String(decoding: head.readableBytesView, as: UTF8.self)
                guard let end = text.range(of: "\r\n\r\n") else { return }
                upgraded.succeed(Int(text.dropFirst(9).prefix(3)) ?? 0)
                machine = WebSocketMachine(role: .client, maxMessageSize: 1 << 24)
                head.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
                machine?.receive(head)
            } else {
                machine?.receive(bytes)
            }
            while let action = machine?.next() {
                switch action {
                case .text(let text): items.yield(.text(String(buffer: text)))
                case .close(let close, _): items.yield(.close(Int(close.code.rawValue)))
                case .ping(let payload): context.writeAndFlush(NIOAny(FrameEncoder(role: .client).pong(payload)), promise: nil)
                case .binary, .pong, .fail: break
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            upgraded.fail(TimedOut(description: "The connection ended before the upgrade did."))
            items.yield(.end)
            items.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
