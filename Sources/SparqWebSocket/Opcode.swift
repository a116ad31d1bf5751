/// The kind of a frame (RFC 6455, section 5.2). Values that the RFC reserves have no case.
public enum Opcode: UInt8, Sendable {
    /// Goes on with the message that a text or binary frame without FIN began.
    case continuation = 0x0
    /// A message of UTF-8 text, or its first fragment.
    case text = 0x1
    /// A message of bytes, or its first fragment.
    case binary = 0x2
    /// Ends the connection, with a code and a reason or without.
    case close = 0x8
    /// Asks for a pong with the same bytes.
    case ping = 0x9
    /// Answers a ping.
    case pong = 0xA

    /// Control frames are never fragmented and carry at most 125 bytes (RFC 6455, section 5.5).
    @inlinable
    public var isControl: Bool { self.rawValue & 0x8 != 0 }
}
