import NIOCore
import SparqWebSocket

/// What the front does with one WebSocket. All calls come on the socket's event loop.
protocol SocketSession: AnyObject {
    /// The upgrade is done; what is written from now on follows the 101.
    func opened()
    /// One whole message, valid UTF-8.
    func receivedText(_ text: ByteBuffer)
    /// One whole binary message.
    func receivedBinary(_ bytes: ByteBuffer)
    /// So many frames came that carry next to nothing: pings, pongs, tiny fragments. Called before the message that follows them, and before
    /// ``readCompleted()``. Returns whether the peer keeps to its rate.
    func receivedQuiet(_ frames: Int) -> Bool
    /// The outbound buffer passed its high mark (false), or fell below its low mark again (true).
    func writabilityChanged(_ writable: Bool)
    /// All that one read brought was handed over: a good moment to flush and to send batches.
    func readCompleted()
    /// The socket neither takes nor gives messages any more. Called exactly once.
    func closed(_ end: SocketEnd)
}

extension SocketSession {
    func receivedQuiet(_ frames: Int) -> Bool { true }
    func writabilityChanged(_ writable: Bool) {}
    func readCompleted() {}
}

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
    /// The code on the wire, or ``SparqWebSocket/CloseCode/abnormal`` where there was none.
    var close: Close
}
