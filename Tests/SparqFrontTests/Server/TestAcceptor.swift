import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import SparqWire
import SparqWebSocket

@testable import SparqFront

/// Refuses by the query `deny`, decides late by `slow`, and tells the test all that its sessions see.
struct TestAcceptor: SocketAcceptor {
    enum Event: Equatable, Sendable {
        case opened
        case text(Int)
        case binary(Int)
        case writable(Bool)
        case closed(SocketEnd)
    }

    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let sockets = NIOLockedValueBox<[NIOLoopBound<Socket>]>([])

    init() {
        (self.events, self.continuation) = AsyncStream<Event>.makeStream()
    }

    func decide(_ head: HTTPRequestHead, from remoteAddress: SocketAddress?, on eventLoop: any EventLoop) -> EventLoopFuture<
        SocketDecision<String>
    > {
        if head.uri.hasSuffix("?deny") {
            let refusal = Refusal.error(.unauthorized, code: "unauthorized", message: "Log in", headers: ["WWW-Authenticate": "Bearer"])
            return eventLoop.makeSucceededFuture(.refuse(refusal))
        }
        if head.uri.hasSuffix("?slow") { return eventLoop.scheduleTask(in: .seconds(4)) { .accept(head.uri) }.futureResult }
        // Late, so that what follows the handshake arrives before the decision.
        return eventLoop.scheduleTask(in: .milliseconds(20)) { .accept(head.uri, headers: ["X-Node": "n1"]) }.futureResult
    }

    func makeSession(_ context: String, socket: Socket) -> Session {
        self.sockets.withLockedValue { $0.append(NIOLoopBound(socket, eventLoop: socket.eventLoop)) }
        return Session(socket: socket, continuation: self.continuation)
    }

    /// Runs on the event loop of the first socket.
    func onSocket<Result: Sendable>(_ body: @escaping @Sendable (Socket) -> Result) async throws -> Result {
        guard let socket = self.sockets.withLockedValue({ $0.first }) else { throw TestClient.Unexpected("no socket") }
        return try await socket.eventLoop.submit { body(socket.value) }.get()
    }

    final class Session: SocketSession {
        private let socket: Socket
        private let continuation: AsyncStream<Event>.Continuation

        init(socket: Socket, continuation: AsyncStream<Event>.Continuation) {
            self.socket = socket
            self.continuation = continuation
        }

        func opened() { self.continuation.yield(.opened) }

        func receivedText(_ text: ByteBuffer) {
            self.continuation.yield(.text(text.readableBytes))
            self.socket.write(frame: FrameEncoder(role: .server).text(text))
        }

        func receivedBinary(_ bytes: ByteBuffer) { self.continuation.yield(.binary(bytes.readableBytes)) }

        func readCompleted() { self.socket.flush() }

        func writabilityChanged(_ writable: Bool) { self.continuation.yield(.writable(writable)) }

        func closed(_ end: SocketEnd) { self.continuation.yield(.closed(end)) }
    }
}
