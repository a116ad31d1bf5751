import Testing

@testable import SparqWebSocket

@Suite struct UTF8ValidatorTests {
    private func isValid(_ bytes: [UInt8], cuts: [Int] = []) -> Bool {
        var validator = UTF8Validator()
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = Array(bytes[start..<end])
            guard piece.withUnsafeBytes({ validator.consume($0) }) else { return false }
            start = end
        }
        return validator.isComplete
    }

    /// Every pair, and every third byte after the leads whose rules differ, against the standard library.
    @Test func agreesWithTheStandardLibraryOnShortSequences() {
        var disagreements: [[UInt8]] = []
        func check(_ bytes: [UInt8]) {
            if self.isValid(bytes) != (String(validating: bytes, as: UTF8.self) != nil) { disagreements.append(bytes) }
        }
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                check([first, second])
                guard first >= 0xE0, second == 0x7F || second == 0x80 || second == 0x8F || second == 0x90 || second >= 0x9F else {
                    continue
                }
                for tail: [UInt8] in [[0x80], [0xBF], [0xC0], [0x80, 0x80], [0xBF, 0xBF], [0x80, 0x7F]] { check([first, second] + tail) }
            }
        }
        #expect(disagreements == [])
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func agreesWithTheStandardLibraryOnRandomText(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var invalid = 0
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                let top: UInt32 = [0x7F, 0x7F, 0x7F, 0x7FF, 0xFFFF, 0x10FFFF].randomElement(using: &random) ?? 0x7F
                let scalar = Unicode.Scalar(UInt32.random(in: 0...top, using: &random)) ?? "a"
                bytes += Array(String(scalar).utf8)
            }
            if Bool.random(using: &random), !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
            }
            let cuts = (0..<3).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()
            let expected = String(validating: bytes, as: UTF8.self) != nil
            if !expected { invalid += 1 }
            #expect(self.isValid(bytes, cuts: cuts) == expected, "\(bytes) cut at \(cuts)")
        }
        #expect(invalid > 0)
    }

    @Test func failsAtTheFirstByteThatCannotBe() {
        var validator = UTF8Validator()
        let start: [UInt8] = [0x61, 0xF4]
        let next: [UInt8] = [0x90]
        #expect(start.withUnsafeBytes { validator.consume($0) })
        #expect(!next.withUnsafeBytes { validator.consume($0) })
    }
}
