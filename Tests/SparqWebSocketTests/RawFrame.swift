import NIOCore

/// A frame built by hand, so that it can be wrong in any way.
struct RawFrame {
    var first: UInt8
    var payload: [UInt8] = []
    var mask: [UInt8]? = [0x12, 0x34, 0x56, 0x78]
    /// The length to claim, where it is not the payload's.
    var claimedLength: UInt64?

    static func text(_ text: String, final: Bool = true) -> RawFrame {
        RawFrame(first: final ? 0x81 : 0x01, payload: Array(text.utf8))
    }

    var bytes: [UInt8] {
        let length = self.claimedLength ?? UInt64(self.payload.count)
        let maskBit: UInt8 = self.mask == nil ? 0 : 0x80
        var bytes = [self.first]
        if length <= 125 {
            bytes.append(UInt8(length) | maskBit)
        } else if length <= 0xFFFF {
            bytes += [126 | maskBit, UInt8(length >> 8), UInt8(length & 0xFF)]
        } else {
            bytes.append(127 | maskBit)
            for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(length >> UInt64(shift) & 0xFF)) }
        }
        guard let mask = self.mask else { return bytes + self.payload }
        bytes += mask
        for (index, byte) in self.payload.enumerated() { bytes.append(byte ^ mask[index & 3]) }
        return bytes
    }
}
