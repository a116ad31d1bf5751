public import NIOCore

/// Writes frames (RFC 6455, section 5.2), one frame a message.
///
/// A server's frames have no mask, so one encoded frame can be written to any number of sockets. A client's frames get a fresh mask
/// from the system's random numbers each (section 10.3).
public struct FrameEncoder: Sendable {
    /// The side that writes.
    public let role: Role

    /// An encoder for one side of a connection.
    public init(role: Role) { self.role = role }

    /// A whole text message. The bytes must be UTF-8; they are not checked again.
    public func text(_ payload: ByteBuffer) -> ByteBuffer { self.frame(.text, payload: payload.readableBytesView) }

    /// A whole text message.
    public func text(_ payload: String) -> ByteBuffer { self.frame(.text, payload: payload.utf8) }

    /// A whole binary message.
    public func binary(_ payload: ByteBuffer) -> ByteBuffer { self.frame(.binary, payload: payload.readableBytesView) }

    /// A ping.
    /// - Precondition: the payload has at most 125 bytes.
    public func ping(_ payload: ByteBuffer = ByteBuffer()) -> ByteBuffer { self.frame(.ping, payload: payload.readableBytesView) }

    /// A pong.
    /// - Precondition: the payload has at most 125 bytes.
    public func pong(_ payload: ByteBuffer = ByteBuffer()) -> ByteBuffer { self.frame(.pong, payload: payload.readableBytesView) }

    /// A close frame. ``CloseCode/noStatus`` gives one without code and reason. A reason over 123 bytes is cut at a character.
    /// - Precondition: the code is allowed on the wire, or is ``CloseCode/noStatus``.
    public func close(_ code: CloseCode = .normal, reason: String = "") -> ByteBuffer {
        guard code != .noStatus else { return self.frame(.close, payload: ByteBufferView()) }
        precondition(code.isAllowedOnWire, "A close frame may not carry \(code)")
        var payload = ByteBuffer(integer: code.rawValue)
        if reason.utf8.count <= 123 {
            payload.writeString(reason)
        } else {
            for scalar in reason.unicodeScalars {
                guard payload.readableBytes + UTF8.width(scalar) <= 125 else { break }
                payload.writeString(String(scalar))
            }
        }
        return self.frame(.close, payload: payload.readableBytesView)
    }

    /// Any frame, fragments included.
    /// - Precondition: control frames are final and carry at most 125 bytes.
    public func frame(_ opcode: Opcode, payload: some Collection<UInt8>, isFinal: Bool = true) -> ByteBuffer {
        let count = payload.count
        precondition(!opcode.isControl || (isFinal && count <= 125), "A control frame is final and has at most 125 bytes")

        var buffer = ByteBufferAllocator().buffer(capacity: count + 14)
        buffer.writeInteger(opcode.rawValue | (isFinal ? 0x80 : 0))
        let maskBit: UInt8 = self.role == .client ? 0x80 : 0
        switch count {
        case ...125:
            buffer.writeInteger(UInt8(count) | maskBit)
        case ...Int(UInt16.max):
            buffer.writeInteger(126 | maskBit)
            buffer.writeInteger(UInt16(count))
        default:
            buffer.writeInteger(127 | maskBit)
            buffer.writeInteger(UInt64(count))
        }
        switch self.role {
        case .server:
            buffer.writeBytes(payload)
        case .client:
            let mask = UInt32.random(in: .min ... .max)
            buffer.writeInteger(mask, endianness: .little)
            let start = buffer.readableBytes
            buffer.writeBytes(payload)
            buffer.withUnsafeMutableReadableBytes { bytes in
                Mask.apply(mask, to: UnsafeMutableRawBufferPointer(rebasing: bytes[start...]))
            }
        }
        return buffer
    }
}
