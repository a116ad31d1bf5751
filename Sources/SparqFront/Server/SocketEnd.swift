import SparqWebSocket

/// How a socket ended.
struct SocketEnd: Equatable, Sendable {
    /// Who or what ended it.
    enum Cause: Equatable, Sendable {
        /// The peer sent a close frame first.
        case peer
        /// This side closed; the peer answered, or the deadline passed.
        case local
        /// The peer broke the protocol and was told so with the code.
        case violation
        /// No pong came in time.
        case pongTimeout
        /// TCP ended without a close frame.
        case lost
    }

    var cause: Cause
    /// The code on the wire, or ``WebSocket/CloseCode/abnormal`` where there was none.
    var close: Close
}
