import Foundation

extension String {
    /// Whether it is in Unicode's normalization form C (UAX #15): of all texts that Swift takes for equal exactly one is.
    ///
    /// Two-part vowels of four scripts that are new with Unicode 16 count as composed where they are not, as long as Foundation's tables are older.
    var isComposed: Bool {
        // All below U+0300, whose first byte is 0xCC, is composed, and stands by itself.
        if utf8.allSatisfy({ $0 < 0xCC }) { return true }
        return composed.utf8.elementsEqual(utf8)
    }

    /// The text in Unicode's normalization form C.
    package var composed: String {
        // By way of the decomposed form: composing alone leaves a Hangul syllable and a final consonant behind it as they are.
        decomposedStringWithCanonicalMapping.precomposedStringWithCanonicalMapping
    }
}
