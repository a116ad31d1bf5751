import FaultLog
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Sets up accepted connections: HTTP for Hummingbird's responder, WebSockets for the acceptor.
struct FrontChannel<Acceptor: SocketAcceptor>: ServerChildChannel, HTTPChannelHandler {
    let responder: HTTPChannelHandler.Responder
    let acceptor: Acceptor
    let configuration: FrontServerConfiguration
    let registry: SocketRegistry
    let logger: Logger
    /// WebSockets that could not be decided about.
    let undecided: FaultLog

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<FrontConnection> {
        channel.eventLoop.makeCompletedFuture {
            if let options = channel.syncOptions {
                try options.setOption(.tcpOption(.tcp_nodelay), value: 1)
                // Idle connections keep their read buffers, so those start small.
                try options.setOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 256, maximum: 32 * 1024)
                )
                try options.setOption(.writeBufferWaterMark, value: self.configuration.socket.writeBufferWaterMark)
            }
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderListSize = self.configuration.maxHeaderSize
            limits.maxHeaderFieldSize = self.configuration.maxHeaderSize
            let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits))
            let encoder = HTTPResponseEncoder()
            let becameHTTP = channel.eventLoop.makePromise(of: FrontConnection.HTTP?.self)
            try channel.pipeline.syncOperations.addHandlers(
                encoder,
                decoder,
                FirstRequestHandler(shared: self, decoder: decoder, encoder: encoder, becameHTTP: becameHTTP)
            )
            return FrontConnection(channel: channel, http: becameHTTP.futureResult)
        }
    }

    func handle(value: FrontConnection, logger: Logger) async {
        // A future that fails belongs to a connection that is gone.
        guard let http = try? await value.http.get() else { return }
        await self.handleHTTP(asyncChannel: http, logger: logger)
    }

    /// Puts Hummingbird's part behind the handlers that are there.
    func addHTTPHandlers(to channel: any Channel) throws -> FrontConnection.HTTP {
        try channel.pipeline.syncOperations.addHandlers([
            LateUpgradeHandler(),
            HTTP1ToHTTPServerCodec(secure: false),
            HTTPConnectionStateHandler(
                idleTimeout: .nanoseconds(self.configuration.httpIdleTimeout.nanoseconds),
                logger: self.logger
            ),
        ])
        return try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}
