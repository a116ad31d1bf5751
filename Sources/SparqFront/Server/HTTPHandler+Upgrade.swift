import FaultLog
import Logging
import NIOCore
import NIOHTTP1
import SparqWebSocket

/// From a handshake to a WebSocket.
extension HTTPHandler {
    func decide(_ head: HTTPRequestHead, key: String, _ context: ChannelHandlerContext) {
        let decision = self.sockets.acceptor.decide(head, from: context.remoteAddress, on: context.eventLoop)
        decision.hop(to: context.eventLoop).assumeIsolated().whenComplete { result in
            guard self.machine.phase == .deciding, context.channel.isActive else { return }
            switch result {
            case .success(.accept(let accepted, let headers)):
                self.sockets.undecided.ended(FaultLog.single, "WebSockets are decided about again")
                self.upgrade(accepted, headers: headers, key: key, context)
            case .success(.refuse(let refusal)):
                self.run(self.machine.refused(refusal))
            case .failure(let error):
                self.sockets.undecided.occurred(FaultLog.single, "Could not decide about a WebSocket", metadata: ["error": "\(error)"])
                self.run(self.machine.refused(.unavailable))
            }
        }
    }

    private func upgrade(_ accepted: Acceptor.Context, headers: HTTPHeaders, key: String, _ context: ChannelHandlerContext) {
        self.machine.accepted()
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
        let acceptor = self.sockets.acceptor
        let handler = SocketHandler(
            limits: self.sockets.configuration.socket,
            sweep: self.sockets.registry.sweep(on: context.eventLoop)
        ) { acceptor.makeSession(accepted, socket: $0) }
        // The order matters: the session may write at once, and the decoder hands over the bytes that followed the request
        // (as late as its own call into this handler is over).
        pipeline.removeHandler(self.codec.encoder, promise: nil)
        pipeline.removeHandler(self.codec.gate, promise: nil)
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
        pipeline.removeHandler(self.codec.decoder, promise: removed)
        if self.isReadHeld {
            self.isReadHeld = false
            channel.read()
        }
    }
}
