import Foundation
import NIOCore
import NIOPosix
import Synchronization
import SparqWebSocket

/// A WebSocket server on loopback that answers as a front would, from memory, and does what a message's text tells it to.
final class LoopbackServer: Sendable {
    struct State {
        var inbox: [String: String] = [:]
        var effects: [String: Int] = [:]
        var head = 0
        var connections = 0
        var authorization: [String] = []
        var pongs = 0
        var bytesWritten = 0
    }

    let state = Mutex(State())
    /// The events that each subscriber of the topic `log` gets.
    let logLength: Int
    private let listener = Mutex<(any Channel)?>(nil)
    var port: Int { listener.withLock { $0?.localAddress?.port } ?? 0 }
    var url: String { "ws://127.0.0.1:\(port)/ws" }

    init(logLength: Int = 0, refusesWith status: Int? = nil) async throws {
        self.logLength = logLength
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(self, refusesWith: status))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
    }

    func stop() async { try? await listener.withLock { $0 }?.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let server: LoopbackServer
        private let refusal: Int?
        private var head = ByteBuffer()
        private var machine: WebSocketMachine?
        private let encoder = FrameEncoder(role: .server)

        init(_ server: LoopbackServer, refusesWith status: Int?) {
            self.server = server
            refusal = status
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var bytes = unwrapInboundIn(data)
            if machine == nil {
                head.writeBuffer(&bytes)
                let text = String(buffer: head)
                guard text.contains("\r\n\r\n") else { return }
                upgrade(context, text)
            } else {
                machine?.receive(bytes)
            }
            while let action = machine?.next() {
                switch action {
                case .text(let text): answer(context, String(buffer: text))
                case .pong: server.state.withLock { $0.pongs += 1 }
                case .close(_, let answer):
                    if let answer { context.writeAndFlush(NIOAny(answer), promise: nil) }
                    context.close(promise: nil)
                case .binary, .ping, .fail: break
                }
            }
        }

        private func upgrade(_ context: ChannelHandlerContext, _ request: String) {
            func field(_ name: String) -> String {
                let line = request.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
                return line.map { String($0.dropFirst(name.count + 1)).trimmingCharacters(in: .whitespaces) } ?? ""
            }
            if let refusal {
                context.writeAndFlush(NIOAny(ByteBuffer(string: "HTTP/1.1 \(refusal) No\r\nContent-Length: 0\r\n\r\n")), promise: nil)
                context.close(promise: nil)
                return
            }
            let number = server.state.withLock { state in
                state.connections += 1
                state.authorization.append(field("authorization"))
                return state.connections
            }
            let accept = Handshake.accept(for: field("sec-websocket-key"))
            let head =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
            context.write(NIOAny(ByteBuffer(string: head)), promise: nil)
            write(
                context,
                #"{"type":"$welcome","connection":"k\#(number)","user":"ann","node":"n","heartbeat_ms":25000,"limits":{"message_bytes":65536,"in_flight":64}}"#
            )
            context.writeAndFlush(NIOAny(encoder.ping(ByteBuffer(string: "p"))), promise: nil)
            machine = WebSocketMachine(role: .server, maxMessageSize: 1 << 20)
        }

        private func write(_ context: ChannelHandlerContext, _ text: String) {
            context.writeAndFlush(NIOAny(encoder.text(text)), promise: nil)
        }

        private func answer(_ context: ChannelHandlerContext, _ text: String) {
            guard let message = try? JSONDecoder().decode(ModelServer.Message.self, from: Data(text.utf8)) else { return }
            if let topics = message.topics {
                let answers = topics.keys.map { #""\#($0)":{"ok":true,"seq":\#(server.logLength)}"# }.joined(separator: ",")
                write(context, #"{"re":"\#(message.id)","ok":true,"data":{"topics":{\#(answers)}}}"#)
                guard let cursor = topics["log"] ?? nil, cursor < server.logLength else { return }
                let padding = String(repeating: "x", count: 200)
                for seq in (cursor + 1)...server.logLength {
                    let frame = encoder.text(#"{"type":"note","topic":"log","seq":\#(seq),"at":"","data":{"p":"\#(padding)"}}"#)
                    let count = frame.readableBytes
                    let server = server
                    context.writeAndFlush(NIOAny(frame)).whenSuccess { server.state.withLock { $0.bytesWritten += count } }
                }
                return
            }
            if message.text == "stay silent" { return }
            let isRepeat = server.state.withLock { state in
                if state.inbox[message.id] != nil { return true }
                state.inbox[message.id] = text
                state.effects[message.text ?? "?", default: 0] += 1
                return false
            }
            // The message takes effect and its reply is lost with the connection.
            if message.text == "break off", !isRepeat { return context.close(promise: nil) }
            write(
                context,
                #"{"re":"\#(message.id)","ok":true,"data":{"text":"\#(message.text ?? "")"}\#(isRepeat ? #","repeat":true"# : "")}"#
            )
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
