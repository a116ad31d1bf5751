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

/// The name of an account: 3 to 32 characters.
struct UserName: Hashable, Sendable, Decodable {
    let text: String

    init(_ text: String) throws(Refusal) {
        self.text = try NameRules.normalized(text, lengths: 3...32, whose: "A user's name")
    }

    init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }
}
