internal import NIOCore
internal import NIOHTTP1

/// Writes one request, collects one answer, closes.
final class HTTPExchangeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// A longer body breaks the exchange off.
    static let bodyLimit = 64 * 1_024 * 1_024

    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let timeout: TimeAmount
    private let answer: EventLoopPromise<HTTPAnswer>
    private var response: HTTPResponseHead?
    private var bytes = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(head: HTTPRequestHead, body: ByteBuffer, timeout: TimeAmount, answer: EventLoopPromise<HTTPAnswer>) {
        self.head = head
        self.body = body
        self.timeout = timeout
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): response = head
        case .body(var part):
            bytes.writeBuffer(&part)
            if bytes.readableBytes > Self.bodyLimit { context.close(promise: nil) }
        case .end:
            if let response {
                let headers = response.headers.map { HTTPAnswer.Header(name: $0.name.lowercased(), value: $0.value) }
                answer.succeed(HTTPAnswer(status: Int(response.status.code), headers: headers, body: [UInt8](bytes.readableBytesView)))
            }
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        // Nothing where the answer is complete.
        answer.fail(HTTPExchangeError("The connection ended before the answer did."))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }
}
