import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Sets up accepted connections: HTTP for the responder, WebSockets for the acceptor.
struct FrontChannel<Acceptor: SocketAcceptor, Responder: HTTPResponder>: ServerChildChannel
where Responder.Context: InitializableFromSource<ApplicationRequestContextSource> {
    let responder: Responder
    let sockets: SocketEnvironment<Acceptor>
    let logger: Logger

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<FrontConnection> {
        channel.eventLoop.makeCompletedFuture {
            let configuration = self.sockets.configuration
            if let options = channel.syncOptions {
                try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
                // Idle connections keep their read buffers, so those start small.
                try options.setOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 256, maximum: 32 * 1024)
                )
                try options.setOption(.writeBufferWaterMark, value: configuration.socket.writeBufferWaterMark)
            }
            let (turns, continuation) = AsyncStream<HTTPTurn>.makeStream()
            let codec = HTTPCodec(configuration)
            try channel.pipeline.syncOperations.addHandlers(
                codec.encoder,
                codec.gate,
                codec.decoder,
                HTTPHandler(sockets: self.sockets, codec: codec, turns: continuation)
            )
            return FrontConnection(channel: channel, turns: turns)
        }
    }

    func handle(value: FrontConnection, logger: Logger) async {
        await withTaskCancellationHandler {
            for await turn in value.turns {
                await turn.answer(with: self.responder, refusing: self.sockets.configuration.refusalHeaders, logger: self.logger)
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

/// An accepted TCP connection.
struct FrontConnection: ServerChildChannelValue {
    let channel: any Channel
    /// Its requests, one at a time. Ends where the connection became a WebSocket or ended.
    let turns: AsyncStream<HTTPTurn>
}
