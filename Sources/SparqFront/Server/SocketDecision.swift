import NIOHTTP1

/// The answer to a request for a WebSocket.
enum SocketDecision<Context: Sendable>: Sendable {
    /// Upgrade, with these headers added to the 101.
    case accept(Context, headers: HTTPHeaders = [:])
    /// Answer with an HTTP error and close.
    case refuse(Refusal)
}
