import NIOCore

/// Stands before the HTTP parser. It knows of bytes that are no part of a request yet, and keeps from the parser what nobody will answer.
final class ByteGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Asked with a number of bytes whether the parser may have them.
    var mayPass: (Int) -> Bool = { _ in true }
    /// What came while there was no parser.
    private var held: [ByteBuffer]?
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if self.held != nil {
            self.held?.append(self.unwrapInboundIn(data))
        } else {
            self.pass(self.unwrapInboundIn(data), context)
        }
    }

    /// Keeps what comes. The channel does not read meanwhile, so it is little.
    func hold() { self.held = [] }

    /// Lets pass `first`, and then what was kept.
    func release(_ first: ByteBuffer) {
        let held = self.held ?? []
        self.held = nil
        for bytes in [first] + held where bytes.readableBytes > 0 {
            guard let context else { return }
            self.pass(bytes, context)
        }
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if self.mayPass(bytes.readableBytes) { context.fireChannelRead(self.wrapInboundOut(bytes)) }
    }
}

/// Takes the bytes that a parser leaves behind.
final class RestOfBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private(set) var bytes = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { self.bytes.writeImmutableBuffer(self.unwrapInboundIn(data)) }
}
