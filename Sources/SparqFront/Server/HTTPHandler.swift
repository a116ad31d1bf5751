import Hummingbird
import NIOCore
import NIOHTTP1

/// The handlers that ``HTTPHandler`` works with, and takes away when the connection becomes a WebSocket.
struct HTTPCodec {
    let encoder = HTTPResponseEncoder()
    let gate = ByteGate()
    var decoder: ByteToMessageHandler<HTTPRequestDecoder>

    init(_ configuration: FrontServerConfiguration) { self.decoder = Self.makeDecoder(configuration) }

    static func makeDecoder(_ configuration: FrontServerConfiguration) -> ByteToMessageHandler<HTTPRequestDecoder> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderListSize = configuration.maxHeaderSize
        limits.maxHeaderFieldSize = configuration.maxHeaderSize
        return ByteToMessageHandler(
            HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits),
            // Behind a request for an upgrade it keeps what comes.
            maximumBufferSize: configuration.unparsedBytes
        )
    }
}

/// The last handler of an HTTP connection: carries out what ``HTTPMachine`` says, and keeps the time.
final class HTTPHandler<Acceptor: SocketAcceptor>: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    let sockets: SocketEnvironment<Acceptor>
    var codec: HTTPCodec
    var machine: HTTPMachine
    private let turns: AsyncStream<HTTPTurn>.Continuation
    private var context: ChannelHandlerContext?
    private var changesSeen = -1
    /// When the machine's phase has lasted too long.
    private var deadline: NIODeadline?
    private var timer: (at: NIODeadline, task: Scheduled<Void>)?
    var isReadHeld = false

    init(sockets: SocketEnvironment<Acceptor>, codec: HTTPCodec, turns: AsyncStream<HTTPTurn>.Continuation) {
        self.sockets = sockets
        self.codec = codec
        self.turns = turns
        let configuration = sockets.configuration
        let limits = HTTPMachine.Limits(bodyBytes: configuration.maxBodySize, unparsedBytes: configuration.unparsedBytes)
        self.machine = HTTPMachine(limits: limits, socketPath: configuration.socketPath)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        self.codec.gate.mayPass = { [unowned self] in self.machine.arrived(bytes: $0) }
        self.settle()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.codec.gate.mayPass = { _ in true }
        self.timer?.task.cancel()
        self.timer = nil
        self.turns.finish()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.machine.received(self.unwrapInboundIn(data))
        self.run(self.machine.next())
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Also where the gate let nothing pass.
        self.run(self.machine.next())
    }

    func read(context: ChannelHandlerContext) {
        if self.machine.wantsInput { context.read() } else { self.isReadHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            self.machine.drain()
            self.settle()
        }
        if case ChannelEvent.inputClosed = event { self.run(self.machine.inputClosed()) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as HTTPParserError: self.machine.failed(error == .headerOverflow ? .headersTooLarge : .badRequest)
        case is ByteToMessageDecoderError.PayloadTooLargeError: self.machine.failed(.badRequest)
        default: return context.close(promise: nil)
        }
        self.run(self.machine.next())
    }

    // MARK: Actions

    /// Carries out an action and those that follow from it.
    func run(_ first: HTTPMachine.Action?) {
        var action = first
        while let current = action {
            guard let context else { return }
            self.perform(current, context)
            action = self.machine.next()
        }
        self.settle()
    }

    private func perform(_ action: HTTPMachine.Action, _ context: ChannelHandlerContext) {
        switch action {
        case .proceed:
            context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        case .answer(let incoming):
            let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
            let loop = context.eventLoop
            self.turns.yield(
                HTTPTurn(
                    head: incoming.head,
                    body: incoming.isTooLarge ? .tooLarge : RequestBody(buffer: incoming.body),
                    channel: context.channel
                ) { piece in
                    try await loop.flatSubmit { handler.value.write(piece, on: loop) }.get()
                }
            )
        case .decide(let head, let key):
            self.decide(head, key: key, context)
        case .refuse(let refusal, let hasBody):
            self.write(refusal, hasBody: hasBody, context)
        case .restart:
            self.restart(context)
        case .end:
            context.close(mode: .output, promise: nil)
        case .close:
            context.close(promise: nil)
        }
    }

    /// Writes a piece of the response.
    private func write(_ piece: HTTPTurn.Piece, on loop: any EventLoop) -> EventLoopFuture<Void> {
        guard let context else { return loop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
        let written = loop.makePromise(of: Void.self)
        let isHEAD = self.machine.isHEAD
        if var head = piece.head {
            self.machine.responding()
            self.settle()
            head.headers.replaceOrAdd(name: "Date", value: HTTPDate.now)
            if self.machine.isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        }
        if let body = piece.body, !isHEAD {
            let extra = TimeAmount.milliseconds(Int64(body.readableBytes * 1000 / self.sockets.configuration.responseBytesPerSecond))
            self.deadline = self.deadline.map { $0 + extra }
            context.write(self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        if piece.isEnd, !isHEAD {
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: written)
        } else {
            // An empty write, so that the promise has what is before it. A response to HEAD has no end: one in chunks would write it.
            context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer()))), promise: written)
        }
        guard piece.isEnd else { return written.futureResult }
        return written.futureResult.assumeIsolated().map { self.run(self.machine.responded()) }.nonisolated()
    }

    private func write(_ refusal: Refusal, hasBody: Bool, _ context: ChannelHandlerContext) {
        var headers = refusal.headers
        headers.replaceOrAdd(name: "Connection", value: refusal.headers.contains(name: "Upgrade") ? "Upgrade, close" : "close")
        headers.replaceOrAdd(name: "Content-Length", value: String(refusal.body.readableBytes))
        headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        headers.replaceOrAdd(name: "Date", value: HTTPDate.now)
        headers.add(contentsOf: self.sockets.configuration.refusalHeaders)
        context.write(
            self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: refusal.status, headers: headers))),
            promise: nil
        )
        let channel = context.channel
        let written = context.eventLoop.makePromise(of: Void.self)
        // Only this side's direction: a reset, sent for unread bytes, could overtake the answer.
        written.futureResult.whenComplete { _ in channel.close(mode: .output, promise: nil) }
        context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(hasBody ? refusal.body : ByteBuffer()))), promise: written)
    }

    /// Puts a fresh parser in the place of one that has stopped, and gives it the bytes that this one holds.
    private func restart(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        let gate = self.codec.gate
        let rest = RestOfBytes()
        gate.hold()
        let removed = context.eventLoop.makePromise(of: Void.self)
        removed.futureResult.assumeIsolated().whenComplete { _ in
            guard self.context != nil else { return }
            self.codec.decoder = HTTPCodec.makeDecoder(self.sockets.configuration)
            do {
                try pipeline.addHandler(self.codec.decoder, position: .after(gate))
            } catch {
                return self.run(.close)
            }
            pipeline.removeHandler(rest, promise: nil)
            self.machine.restarted()
            gate.release(rest.bytes)
            self.run(self.machine.next())
        }
        do {
            try pipeline.addHandler(rest, position: .after(self.codec.decoder))
            pipeline.removeHandler(self.codec.decoder, promise: removed)
        } catch {
            removed.fail(error)
        }
    }

    // MARK: Time

    /// Follows the machine's phase: its time limit, and whether the channel reads.
    private func settle() {
        guard let context else { return }
        if self.machine.changes != self.changesSeen {
            self.changesSeen = self.machine.changes
            self.limitPhase()
            self.arm(context)
        }
        if self.isReadHeld, self.machine.wantsInput {
            self.isReadHeld = false
            context.read()
        }
    }

    private func limitPhase() {
        let configuration = self.sockets.configuration
        let limit: TimeAmount
        switch self.machine.phase {
        case .idle: limit = configuration.httpIdleTimeout
        case .leaving: limit = configuration.leavingTimeout
        case .head, .handshake, .deciding, .restarting: limit = configuration.handshakeTimeout
        case .body: limit = configuration.bodyTimeout
        case .responding: limit = configuration.responseTimeout
        case .ending: limit = configuration.socket.closeTimeout
        case .answering, .upgraded:
            self.deadline = nil
            return
        }
        self.deadline = .now() + limit
    }

    /// One timer for all phases; one that fires before the deadline is set anew.
    private func arm(_ context: ChannelHandlerContext) {
        guard let deadline else { return }
        if let timer {
            guard timer.at > deadline else { return }
            timer.task.cancel()
        }
        let task = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            guard let context = self.context, let deadline = self.deadline else { return }
            if deadline <= .now() { self.run(self.machine.timedOut()) } else { self.arm(context) }
        }
        self.timer = (deadline, task)
    }
}
