import HummingbirdCore
import NIOCore
import NIOHTTPTypes

/// An accepted TCP connection whose first request decides what becomes of it.
struct FrontConnection: ServerChildChannelValue {
    typealias HTTP = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let channel: any Channel
    /// Completed with nil where the connection became a WebSocket or ended.
    let http: EventLoopFuture<HTTP?>
}
