/// The head of one frame as it stands on the wire (RFC 6455, section 5.2), not yet judged.
struct FrameHeader: Equatable {
    var isFinal: Bool
    var reservedBits: UInt8
    var opcode: UInt8
    var isMasked: Bool
    /// The mask's four bytes in the order of the wire, first byte lowest; zero where the frame has none.
    var mask: UInt32
    /// Payload bytes. The high bit, which the RFC forbids, may be set.
    var payloadLength: UInt64
    /// Bytes of the head itself: 2 to 14.
    var size: Int

    /// Reads a head from the first bytes, or returns nil while some of it is missing.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2 else { return nil }
        let first = bytes[0]
        let second = bytes[1]
        self.isFinal = first & 0x80 != 0
        self.reservedBits = first & 0x70
        self.opcode = first & 0x0F
        self.isMasked = second & 0x80 != 0

        var size = 2
        switch second & 0x7F {
        case 126:
            guard bytes.count >= 4 else { return nil }
            self.payloadLength = UInt64(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            size = 4
        case 127:
            guard bytes.count >= 10 else { return nil }
            self.payloadLength = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            size = 10
        case let short:
            self.payloadLength = UInt64(short)
        }

        if self.isMasked {
            guard bytes.count >= size + 4 else { return nil }
            self.mask = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: size, as: UInt32.self))
            size += 4
        } else {
            self.mask = 0
        }
        self.size = size
    }
}
