import Sparq

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
