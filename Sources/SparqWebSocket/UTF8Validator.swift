/// Checks UTF-8 (RFC 3629) as it comes, in pieces cut anywhere, and fails at the first byte that cannot be part of valid text.
public struct UTF8Validator: Sendable, Equatable {
    /// Continuation bytes that the current character still needs.
    private var pending: UInt8 = 0
    /// The range in which the next continuation byte must be; it excludes overlong forms, surrogates, and what is above U+10FFFF.
    private var low: UInt8 = 0x80
    private var high: UInt8 = 0xBF

    /// At the start of a text.
    public init() {}

    /// Whether the text may end here: no character is cut.
    public var isComplete: Bool { self.pending == 0 }

    /// Takes the next bytes. Returns false if they make the text invalid; the validator is of no use afterwards.
    public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let base = bytes.baseAddress else { return true }
        let count = bytes.count
        var offset = 0
        while offset < count {
            if self.pending == 0 {
                offset = Self.skipASCII(base, from: offset, count: count)
                guard offset < count else { return true }
            }
            guard self.step(base.load(fromByteOffset: offset, as: UInt8.self)) else { return false }
            offset &+= 1
        }
        return true
    }

    private static func skipASCII(_ base: UnsafeRawPointer, from start: Int, count: Int) -> Int {
        let high: UInt64 = 0x8080_8080_8080_8080
        var offset = start
        while offset &+ 32 <= count {
            let first = base.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let second = base.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
            let third = base.loadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self)
            let fourth = base.loadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self)
            guard (first | second | third | fourth) & high == 0 else { break }
            offset &+= 32
        }
        while offset &+ 8 <= count, base.loadUnaligned(fromByteOffset: offset, as: UInt64.self) & high == 0 {
            offset &+= 8
        }
        while offset < count, base.load(fromByteOffset: offset, as: UInt8.self) < 0x80 {
            offset &+= 1
        }
        return offset
    }

    private mutating func step(_ byte: UInt8) -> Bool {
        if self.pending > 0 {
            guard byte >= self.low, byte <= self.high else { return false }
            self.pending -= 1
            self.low = 0x80
            self.high = 0xBF
            return true
        }
        switch byte {
        case 0x00...0x7F:
            return true
        case 0xC2...0xDF:
            self.expect(1)
        case 0xE0:
            self.expect(2, low: 0xA0)
        case 0xED:
            self.expect(2, high: 0x9F)
        case 0xE1...0xEF:
            self.expect(2)
        case 0xF0:
            self.expect(3, low: 0x90)
        case 0xF1...0xF3:
            self.expect(3)
        case 0xF4:
            self.expect(3, high: 0x8F)
        default:
            return false
        }
        return true
    }

    private mutating func expect(_ count: UInt8, low: UInt8 = 0x80, high: UInt8 = 0xBF) {
        self.pending = count
        self.low = low
        self.high = high
    }
}
