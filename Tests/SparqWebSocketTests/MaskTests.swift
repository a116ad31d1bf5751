import Testing

@testable import SparqWebSocket

@Suite struct MaskTests {
    @Test func agreesWithTheDefinitionAtEveryLengthAndStart() {
        var random = SeededGenerator(seed: 7)
        let key: [UInt8] = [0xA1, 0xB2, 0xC3, 0xD4]
        for start in 0..<9 {
            for count in 0..<70 {
                let bytes = (0..<start + count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
                var masked = bytes
                masked.withUnsafeMutableBytes {
                    Mask.apply(Mask.turn(0xD4C3_B2A1, by: start), to: UnsafeMutableRawBufferPointer(rebasing: $0[start...]))
                }
                let expected = bytes.enumerated().map { $0 < start ? $1 : $1 ^ key[$0 & 3] }
                #expect(masked == expected, "start \(start), count \(count)")
            }
        }
    }
}
