import NIOCore
import NIOPosix
import SparqWebSocket

/// A TCP connection to a front: HTTP written by hand, then frames.
final class RawClient {
    struct Closed: Error {}

    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
    private let inbound: AsyncStream<ByteBuffer>
    private var iterator: AsyncStream<ByteBuffer>.Iterator
    private var machine = WebSocketMachine(role: .client, maxMessageSize: 1 << 20)
    private var received = ByteBuffer()
    private let encoder = FrameEncoder(role: .client)
    private let outbound: AsyncStream<ByteBuffer>.Continuation
    private let task: Task<Void, any Error>
    private(set) var close: Close?
    /// The head of the answer to ``upgrade(_:_:)``.
    private(set) var answer = ""

    init(port: Int) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        self.channel = channel
        let (inbound, inboundContinuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let (outboundStream, outbound) = AsyncStream.makeStream(of: ByteBuffer.self)
        self.inbound = inbound
        self.outbound = outbound
        iterator = inbound.makeAsyncIterator()
        task = Task {
            defer { inboundContinuation.finish() }
            try await channel.executeThenClose { reader, writer in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { for await buffer in outboundStream { try await writer.write(buffer) } }
                    group.addTask {
                        for try await buffer in reader { inboundContinuation.yield(buffer) }
                        inboundContinuation.finish()
                    }
                    try await group.next()
                    group.cancelAll()
                }
            }
        }
    }

    deinit { task.cancel() }

    func hangUp() { task.cancel() }

    /// Sends a request and returns the response: head and body as one text. For HTTP the server must close.
    func http(_ method: String, _ path: String, _ headers: [String] = [], body: String = "") async throws -> String {
        let head = ["\(method) \(path) HTTP/1.1", "Host: test", "Connection: close", "Content-Length: \(body.utf8.count)"] + headers
        outbound.yield(ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n" + body))
        var response = ""
        while let buffer = await iterator.next() { response += String(buffer: buffer) }
        return response
    }

    /// Opens a WebSocket; returns the status line.
    func upgrade(_ path: String, _ headers: [String] = []) async throws -> String {
        let head =
            [
                "GET \(path) HTTP/1.1", "Host: test", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            ] + headers
        outbound.yield(ByteBuffer(string: head.joined(separator: "\r\n") + "\r\n\r\n"))
        while let buffer = await iterator.next() {
            received.writeImmutableBuffer(buffer)
            let text = String(buffer: received)
            guard let end = text.firstRange(of: "\r\n\r\n") else { continue }
            answer = String(text[..<end.upperBound])
            received.moveReaderIndex(forwardBy: answer.utf8.count)
            if received.readableBytes > 0 { machine.receive(received) }
            return String(text.prefix { $0 != "\r\n" })
        }
        throw Closed()
    }

    func send(_ text: String) { outbound.yield(encoder.text(text)) }

    /// Frames of one kind in one piece.
    func send(_ opcode: Opcode, isFinal: Bool = true, times: Int) {
        var bytes = ByteBuffer()
        for _ in 0..<times { bytes.writeImmutableBuffer(encoder.frame(opcode, payload: [UInt8](), isFinal: isFinal)) }
        outbound.yield(bytes)
    }

    /// The next text message; throws when the server has closed.
    func next() async throws -> String {
        while true {
            switch machine.next() {
            case .text(let text): return String(buffer: text)
            case .ping(let payload): outbound.yield(encoder.pong(payload))
            case .close(let close, let answer):
                self.close = close
                if let answer { outbound.yield(answer) }
                throw Closed()
            case .binary, .pong, .fail: continue
            case nil:
                guard let buffer = await iterator.next() else { throw Closed() }
                machine.receive(buffer)
            }
        }
    }
}
