import NIOCore

/// The only handler of an upgraded connection: bytes to ``Socket``, and the channel's events.
final class SocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let limits: SocketLimits
    private let sweep: SocketSweep
    private var makeSession: ((Socket) -> any SocketSession)?
    private(set) var socket: Socket?

    init(limits: SocketLimits, sweep: SocketSweep, makeSession: @escaping (Socket) -> any SocketSession) {
        self.limits = limits
        self.sweep = sweep
        self.makeSession = makeSession
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let socket = Socket(context: context, limits: self.limits)
        self.socket = socket
        self.sweep.add(socket)
        guard let makeSession = self.makeSession else { return }
        self.makeSession = nil
        socket.opened(by: makeSession(socket))
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        guard let socket = self.socket else { return }
        self.socket = nil
        socket.detach()
        self.sweep.remove(socket)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.socket?.received(self.unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.socket?.readCompleted()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.socket?.writabilityChanged(context.channel.isWritable)
    }

    func read(context: ChannelHandlerContext) {
        if self.socket?.mayRead() ?? true { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // A graceful shutdown's quiescing event falls through on purpose: the front drains its sockets itself.
        if case ChannelEvent.inputClosed = event { self.socket?.lost() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.socket?.lost()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.socket?.lost()
        context.close(promise: nil)
    }
}
