import NIOCore
import NIOHTTP1

/// Marks a later request of an HTTP connection that asks for an upgrade as the connection's last: the parser stops behind it.
final class LateUpgradeHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard
            case .head(var head) = self.unwrapInboundIn(data), head.headers.contains(name: "upgrade"),
            head.headers[canonicalForm: "connection"].contains(where: { $0.lowercased() == "upgrade" })
        else { return context.fireChannelRead(data) }
        head.headers.remove(name: "upgrade")
        head.headers.replaceOrAdd(name: "connection", value: "close")
        context.fireChannelRead(self.wrapInboundOut(.head(head)))
    }
}
