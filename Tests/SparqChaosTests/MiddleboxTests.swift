import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import sparq_chaos

/// What a middlebox does to connections, against a server that sends back what it gets.
@Suite(.timeLimit(.minutes(1))) struct MiddleboxTests {
    @Test func whatIsOpenIsForgottenAndWhatIsNewPasses() async throws {
        try await withEcho { server, middlebox in
            let old = try await Peer.connect(to: middlebox.port)
            try await old.say("a")
            try await old.hears("a")
            #expect(middlebox.forget() == 1)
            try await old.say("b")
            let new = try await Peer.connect(to: middlebox.port)
            try await new.say("c")
            try await new.hears("c")
            // The newer one's bytes went after it: what was said over the old one would be there.
            #expect(old.heard == "a" && !old.isClosed)
            #expect(server.received == "ac")
            // Nor does the server hear of the end.
            try await old.channel.close()
            try await new.say("d")
            try await new.hears("cd")
            #expect(server.open == 2)
        }
    }

    @Test func whatIsCutUnheardReachedTheServer() async throws {
        try await withEcho { server, middlebox in
            let peer = try await Peer.connect(to: middlebox.port)
            try await peer.say("a")
            try await peer.hears("a")
            #expect(middlebox.beginUnheard() == 1)
            try await peer.say("b")
            while server.received != "ab" { try await Task.sleep(for: .milliseconds(2)) }
            // What is new passes; its answer comes after the one that nobody hears.
            let new = try await Peer.connect(to: middlebox.port)
            try await new.say("c")
            try await new.hears("c")
            middlebox.cutUnheard()
            try await peer.channel.closeFuture.get()
            #expect(peer.heard == "a")
            #expect(server.received == "abc" && !new.isClosed)
        }
    }

    private func withEcho(_ body: (Echo, Middlebox) async throws -> Void) async throws {
        let echo = Echo()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                echo.opened(channel)
                return channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo.Handler(echo)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let middlebox = try await Middlebox.open(to: listener.localAddress?.port ?? 0)
        do {
            try await body(echo, middlebox)
        } catch {
            await middlebox.close()
            try await listener.close()
            throw error
        }
        await middlebox.close()
        try await listener.close()
    }
}

private final class Echo: Sendable {
    private let state = Mutex((received: "", open: 0))
    var received: String { state.withLock { $0.received } }
    var open: Int { state.withLock { $0.open } }

    func opened(_ channel: any Channel) {
        state.withLock { $0.open += 1 }
        channel.closeFuture.whenComplete { _ in self.state.withLock { $0.open -= 1 } }
    }

    final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let echo: Echo
        init(_ echo: Echo) { self.echo = echo }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let bytes = unwrapInboundIn(data)
            echo.state.withLock { $0.received += String(buffer: bytes) }
            context.writeAndFlush(NIOAny(bytes), promise: nil)
        }
    }
}

private final class Peer: Sendable {
    let channel: any Channel
    private let state: Ear

    private final class Ear: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let heard = Mutex("")
        func channelRead(context: ChannelHandlerContext, data: NIOAny) { heard.withLock { $0 += String(buffer: unwrapInboundIn(data)) } }
    }

    private init(_ channel: any Channel, _ ear: Ear) {
        self.channel = channel
        state = ear
    }

    static func connect(to port: Int) async throws -> Peer {
        let ear = Ear()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(ear) } }
            .connect(host: "127.0.0.1", port: port).get()
        return Peer(channel, ear)
    }

    var heard: String { state.heard.withLock { $0 } }
    var isClosed: Bool { !channel.isActive }
    func say(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    func hears(_ text: String) async throws {
        while heard != text { try await Task.sleep(for: .milliseconds(2)) }
    }
}
