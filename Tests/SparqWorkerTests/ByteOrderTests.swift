import Testing

@testable import SparqWorker

@Suite struct ByteOrderTests {
    private static let pieces = ["a", "b", "ab", "\u{1}", "é", "e\u{301}", "ÿ", "\u{FFFF}", "🏳️‍🌈", ""]

    @Test(arguments: 0..<UInt64(100))
    func isThatOfTheBytes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let texts = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
            (0..<Int.random(in: 0...4, using: &generator)).map { _ in Self.pieces.randomElement(using: &generator) ?? "" }.joined()
        }
        let order = ByteOrder(texts.count) { $1 += texts[$0].utf8 }
        #expect(order.places.sorted() == Array(texts.indices))
        for (first, second) in zip(order.places, order.places.dropFirst()) {
            let isSame = Array(texts[first].utf8) == Array(texts[second].utf8)
            #expect(order.areEqual(first, second) == isSame)
            #expect(isSame ? first < second : texts[first].utf8.lexicographicallyPrecedes(texts[second].utf8))
        }
        #expect(order.hasTwins == (Set(texts.map { Array($0.utf8) }).count < texts.count))
    }
}
