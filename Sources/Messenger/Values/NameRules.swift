import Sparq

/// What names of users and rooms have in common: lower-case ASCII letters, digits, `_`, `.`, `-`. Upper-case letters are lowered.
enum NameRules {
    static func normalized(_ name: String, lengths: ClosedRange<Int>, whose: String) throws(Refusal) -> String {
        let name = name.lowercased()
        guard lengths.contains(name.utf8.count), name.utf8.allSatisfy(isAllowed) else {
            throw Refusal(
                .invalidFields,
                "\(whose) has \(lengths.lowerBound) to \(lengths.upperBound) characters: letters a to z, digits, dots, dashes, underscores."
            )
        }
        return name
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
        default: false
        }
    }
}
