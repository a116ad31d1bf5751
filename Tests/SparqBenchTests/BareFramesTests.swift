import Testing

@testable import SparqBench

/// The bare sender's frames are what the generator reads.
struct BareFramesTests {
    @Test(arguments: [1, 7]) func countsOn(_ count: Int) throws {
        var frames = BareFrames(bytes: 200, count: count)
        frames.number(from: 100)
        frames.number(from: 8)
        var rest = frames.bytes[...]
        for number in 8..<(8 + count) {
            // An unmasked text frame of a length that takes two bytes.
            #expect(rest.prefix(2) == [0x81, 126])
            let length = Int(rest[rest.startIndex + 2]) << 8 | Int(rest[rest.startIndex + 3])
            let text = String(decoding: rest.dropFirst(4).prefix(length), as: UTF8.self)
            let digits = String(repeating: "0", count: 9 - String(number).count) + String(number)
            #expect(text.hasPrefix(String(decoding: BareFrames.prefix, as: UTF8.self) + digits))
            #expect(text.contains("\"text\":\"n\(digits)x") && text.hasSuffix("x\"}}"))
            rest = rest.dropFirst(4 + length)
        }
        #expect(rest.isEmpty)
    }
}
