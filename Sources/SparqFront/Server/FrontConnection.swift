import HummingbirdCore
import NIOCore

/// An accepted TCP connection.
struct FrontConnection: ServerChildChannelValue {
    let channel: any Channel
    /// Its requests, one at a time. Ends where the connection became a WebSocket or ended.
    let turns: AsyncStream<HTTPTurn>
}
