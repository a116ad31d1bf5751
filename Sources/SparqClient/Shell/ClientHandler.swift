internal import NIOCore
internal import NIOSSL
internal import SparqWebSocket

/// One socket of a client: the upgrade, then frames. It lives on the client's own event loop, so it may enter the actor at once.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let client: SparqClient
    /// Which of the client's sockets this is; it listens to the newest alone.
    private let epoch: Int
    private let upgrade: UpgradeExchange
    private let timeout: TimeAmount
    private var head = ByteBuffer()
    private var machine: WebSocketMachine
    private var isUpgraded = false
    private var closeCode: Int?
    private var refusal: (status: Int?, retryAfter: Int?)
    /// Why the server's certificate is not trusted.
    private var distrust: String?
    private var timer: Scheduled<Void>?

    init(client: SparqClient, epoch: Int, upgrade: UpgradeExchange, timeout: TimeAmount, frameLimit: Int) {
        self.client = client
        self.epoch = epoch
        self.upgrade = upgrade
        self.timeout = timeout
        machine = WebSocketMachine(role: .client, maxMessageSize: frameLimit)
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
        context.writeAndFlush(wrapOutboundOut(upgrade.request), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if isUpgraded {
            machine.receive(bytes)
        } else {
            head.writeBuffer(&bytes)
            switch upgrade.read(&head) {
            case .incomplete: return
            case .refused(let status, let retryAfter):
                refusal = (status, retryAfter)
                context.close(promise: nil)
                return
            case .upgraded: break
            }
            isUpgraded = true
            timer?.cancel()
            let (epoch, channel) = (epoch, context.channel)
            client.assumeIsolated { $0.opened(epoch: epoch, channel: channel) }
            machine.receive(head)
            head = ByteBuffer()
        }
        process(context)
    }

    private func process(_ context: ChannelHandlerContext) {
        let epoch = epoch
        client.assumeIsolated { $0.heard(epoch: epoch) }
        while let action = machine.next() {
            switch action {
            case .text(let text):
                let bytes = [UInt8](text.readableBytesView)
                client.assumeIsolated { $0.received(epoch: epoch, bytes) }
            case .binary, .pong: break
            case .ping(let payload): context.writeAndFlush(wrapOutboundOut(machine.encoder.pong(payload)), promise: nil)
            case .close(let close, let answer):
                closeCode = close.code == .noStatus ? nil : Int(close.code.rawValue)
                end(context, writing: answer)
            case .fail(_, let frame): end(context, writing: frame)
            }
        }
    }

    private func end(_ context: ChannelHandlerContext, writing frame: ByteBuffer?) {
        if let frame { context.writeAndFlush(wrapOutboundOut(frame), promise: nil) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        let (epoch, code, refusal, upgraded, distrust) = (epoch, closeCode, refusal, isUpgraded, distrust)
        client.assumeIsolated { client in
            if let distrust {
                client.distrusted(epoch: epoch, distrust)
            } else if upgraded {
                client.closed(epoch: epoch, code: code)
            } else {
                client.failed(epoch: epoch, status: refusal.status, retryAfter: refusal.retryAfter)
            }
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if Self.isDistrust(error) { distrust = "\(error)" }
        context.close(promise: nil)
    }

    /// Whether the server's certificate was refused, which it will be again. Everything else of TLS may pass, like a server that ends.
    private static func isDistrust(_ error: any Error) -> Bool {
        switch error {
        case NIOSSLError.noCertificateToValidate, NIOSSLError.unableToValidateCertificate: true
        // NIOSSL has no other word for it.
        case NIOSSLError.handshakeFailed(.sslError(let stack)): stack.contains { "\($0)".contains("CERTIFICATE_VERIFY_FAILED") }
        case let error as NIOSSLExtraError: error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch
        default: false
        }
    }
}
