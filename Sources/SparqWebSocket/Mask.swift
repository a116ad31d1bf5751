/// The XOR mask of client frames (RFC 6455, section 5.3).
enum Mask {
    /// Masks or unmasks bytes in place, eight at a time.
    ///
    /// - Parameters:
    ///   - bytes: the bytes to change.
    ///   - mask: the mask's four bytes, first byte lowest, already turned to the first of `bytes`.
    static func apply(_ mask: UInt32, to bytes: UnsafeMutableRawBufferPointer) {
        guard mask != 0, let base = bytes.baseAddress else { return }
        let wide = UInt64(mask) | UInt64(mask) << 32
        let count = bytes.count
        var offset = 0
        while offset &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) ^ wide
            base.storeBytes(of: word.littleEndian, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        var rest = mask
        while offset < count {
            bytes[offset] ^= UInt8(truncatingIfNeeded: rest)
            rest = Mask.turn(rest, by: 1)
            offset &+= 1
        }
    }

    /// The mask as it applies `count` bytes further on.
    static func turn(_ mask: UInt32, by count: Int) -> UInt32 {
        let bits = UInt32(truncatingIfNeeded: (count & 3) &* 8)
        return bits == 0 ? mask : mask >> bits | mask << (32 &- bits)
    }
}
