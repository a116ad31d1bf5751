import Glibc

/// The few things that are read of a server's frame; no JSON is decoded.
enum FrameReading {
    /// The whole number at an offset, and where it ends.
    static func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> (value: Int, end: Int)? {
        var value = 0
        var index = offset
        while index < bytes.count, bytes[index] >= 0x30, bytes[index] <= 0x39 {
            value = value &* 10 &+ Int(bytes[index] - 0x30)
            index += 1
        }
        return index > offset ? (value, index) : nil
    }

    static func begins(_ bytes: UnsafeRawBufferPointer, with prefix: [UInt8]) -> Bool {
        guard !prefix.isEmpty, bytes.count > prefix.count, let base = bytes.baseAddress else { return false }
        return prefix.withUnsafeBytes { $0.baseAddress.map { memcmp(base, $0, prefix.count) == 0 } ?? false }
    }

    /// Behind the first occurrence of `text`.
    static func end(of text: StaticString, in bytes: UnsafeRawBufferPointer, from offset: Int) -> Int? {
        guard let base = bytes.baseAddress else { return nil }
        let size = text.utf8CodeUnitCount
        var index = offset
        while index + size <= bytes.count, let found = memchr(base + index, Int32(text.utf8Start[0]), bytes.count - size - index + 1) {
            index = UnsafeRawPointer(found) - base
            if memcmp(base + index, text.utf8Start, size) == 0 { return index + size }
            index += 1
        }
        return nil
    }

    static func contains(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool { end(of: text, in: bytes, from: 0) != nil }
}
