import FaultLog
import Logging
import NIOCore
import NIOHTTP1
import WebSocket

/// Waits for a connection's first request, and makes the connection a WebSocket, an HTTP connection, or an answered refusal.
///
/// Only the first request of a TCP connection can become a WebSocket.
final class FirstRequestHandler<Acceptor: SocketAcceptor>: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case waiting
        /// A handshake's head came, its end is to follow.
        case head(HTTPRequestHead, key: String)
        case deciding
        /// The answer is written; what comes is dropped until the peer ends or the deadline passes.
        case refused
        /// HTTP handlers behind this one took over.
        case http
        case upgraded
    }

    private let shared: FrontChannel<Acceptor>
    private let decoder: ByteToMessageHandler<HTTPRequestDecoder>
    private let encoder: HTTPResponseEncoder
    private let becameHTTP: EventLoopPromise<FrontConnection.HTTP?>
    private var state = State.waiting
    private var deadline: Scheduled<Void>?
    private var isReadHeld = false

    init(
        shared: FrontChannel<Acceptor>,
        decoder: ByteToMessageHandler<HTTPRequestDecoder>,
        encoder: HTTPResponseEncoder,
        becameHTTP: EventLoopPromise<FrontConnection.HTTP?>
    ) {
        self.shared = shared
        self.decoder = decoder
        self.encoder = encoder
        self.becameHTTP = becameHTTP
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: self.shared.configuration.handshakeTimeout) {
            self.deadlinePassed(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = nil
        // Does nothing where the connection became HTTP.
        self.becameHTTP.succeed(nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (self.state, self.unwrapInboundIn(data)) {
        case (.http, _):
            context.fireChannelRead(data)
        case (.waiting, .head(let head)):
            self.firstHead(head, context)
        case (.head(let head, let key), .end):
            self.decide(head, key: key, context)
        default:
            break
        }
    }

    func read(context: ChannelHandlerContext) {
        if case .deciding = self.state {
            self.isReadHeld = true
        } else {
            context.read()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch self.state {
        case .http:
            context.fireUserInboundEventTriggered(event)
        case .waiting, .head:
            // Silent connections would hold up a graceful shutdown.
            if event is ChannelShouldQuiesceEvent { context.close(promise: nil) }
            if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        case .deciding, .refused:
            if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        case .upgraded:
            break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch self.state {
        case .http:
            context.fireErrorCaught(error)
        case .waiting, .head:
            guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
            self.refuse(error == .headerOverflow ? .headersTooLarge : .badRequest, context)
        case .deciding, .refused, .upgraded:
            context.close(promise: nil)
        }
    }
}

extension FirstRequestHandler {
    private func firstHead(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        switch UpgradeRequest(head, socketPath: self.shared.configuration.socketPath) {
        case .none:
            self.becomeHTTP(head, context)
        case .refused(let refusal):
            self.refuse(refusal, context)
        case .socket(let key):
            guard self.shared.configuration.isOriginAllowed(head.headers.first(name: "origin")) else {
                return self.refuse(.originNotAllowed, context)
            }
            self.state = .head(head, key: key)
        }
    }

    private func becomeHTTP(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        do {
            let http = try self.shared.addHTTPHandlers(to: context.channel)
            self.state = .http
            self.becameHTTP.succeed(http)
            context.fireChannelRead(self.wrapInboundOut(.head(head)))
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    private func decide(_ head: HTTPRequestHead, key: String, _ context: ChannelHandlerContext) {
        self.state = .deciding
        let decision = self.shared.acceptor.decide(head, from: context.remoteAddress, on: context.eventLoop)
        decision.hop(to: context.eventLoop).assumeIsolated().whenComplete { result in
            guard case .deciding = self.state, context.channel.isActive else { return }
            switch result {
            case .success(.accept(let accepted, let headers)):
                self.shared.undecided.ended(FaultLog.single, "WebSockets are decided about again")
                self.upgrade(accepted, headers: headers, key: key, context)
            case .success(.refuse(let refusal)):
                self.refuse(refusal, context)
            case .failure(let error):
                self.shared.undecided.occurred(FaultLog.single, "Could not decide about a WebSocket", metadata: ["error": "\(error)"])
                self.refuse(.unavailable, context)
            }
        }
    }

    private func upgrade(_ accepted: Acceptor.Context, headers: HTTPHeaders, key: String, _ context: ChannelHandlerContext) {
        self.state = .upgraded
        var response = headers
        response.add(name: "Upgrade", value: "websocket")
        response.add(name: "Connection", value: "Upgrade")
        response.add(name: "Sec-WebSocket-Accept", value: Handshake.accept(for: key))
        let channel = context.channel
        context.write(
            self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: response))),
            promise: nil
        )

        let pipeline = context.pipeline.syncOperations
        let acceptor = self.shared.acceptor
        let handler = SocketHandler(
            limits: self.shared.configuration.socket,
            sweep: self.shared.registry.sweep(on: context.eventLoop)
        ) { acceptor.makeSession(accepted, socket: $0) }
        // The order matters: the session may write at once, and the decoder hands over the bytes that followed the request
        // (as late as its own call into this handler is over).
        pipeline.removeHandler(self.encoder, promise: nil)
        pipeline.removeHandler(self, promise: nil)
        do {
            try pipeline.addHandler(handler)
        } catch {
            return channel.close(promise: nil)
        }
        channel.flush()
        let removed = channel.eventLoop.makePromise(of: Void.self)
        // What the decoder held was no read of the channel's, so nobody else tells of its end.
        removed.futureResult.assumeIsolated().whenComplete { _ in handler.socket?.readCompleted() }
        pipeline.removeHandler(self.decoder, promise: removed)
        if self.isReadHeld {
            self.isReadHeld = false
            channel.read()
        }
    }

    private func refuse(_ refusal: Refusal, _ context: ChannelHandlerContext) {
        self.state = .refused
        var headers = refusal.headers
        headers.replaceOrAdd(name: "Connection", value: refusal.headers.contains(name: "Upgrade") ? "Upgrade, close" : "close")
        headers.replaceOrAdd(name: "Content-Length", value: String(refusal.body.readableBytes))
        headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        context.write(
            self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers))),
            promise: nil
        )
        context.write(self.wrapOutboundOut(.body(.byteBuffer(refusal.body))), promise: nil)
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        // Only this side's direction: a reset, sent for unread bytes, could overtake the answer.
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: written)
        if self.isReadHeld {
            self.isReadHeld = false
            context.read()
        }
        self.deadline?.cancel()
        self.deadline = context.eventLoop.assumeIsolated().scheduleTask(in: self.shared.configuration.socket.closeTimeout) {
            context.close(promise: nil)
        }
    }

    private func deadlinePassed(_ context: ChannelHandlerContext) {
        switch self.state {
        case .waiting: context.close(promise: nil)
        case .head, .deciding: self.refuse(.tooSlow, context)
        case .refused, .http, .upgraded: break
        }
    }
}
