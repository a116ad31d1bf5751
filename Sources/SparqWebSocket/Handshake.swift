import Crypto
import FoundationEssentials

/// The keys of the opening handshake (RFC 6455, sections 4.1 and 4.2.2). The HTTP around them is the caller's.
public enum Handshake {
    /// The only version of the protocol (`Sec-WebSocket-Version`).
    public static let version = "13"

    /// A new `Sec-WebSocket-Key` for a client: 16 random bytes in base64.
    public static func makeKey() -> String {
        Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }

    /// Whether a client's `Sec-WebSocket-Key` is 16 bytes in base64.
    public static func isValid(key: String) -> Bool {
        Data(base64Encoded: key)?.count == 16
    }

    /// The `Sec-WebSocket-Accept` that answers a key. A server sends it, a client compares it.
    public static func accept(for key: String) -> String {
        // SHA-1 is the RFC's choice; it proves that the server speaks WebSocket and protects nothing.
        let digest = Insecure.SHA1.hash(data: Data((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Data(digest).base64EncodedString()
    }
}
