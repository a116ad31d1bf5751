import Sparq

/// What somebody says: 1 to 4,000 bytes of UTF-8 once the white space around it is gone.
struct MessageText: Hashable, Sendable, Codable {
    static let limit = 4000

    let text: String

    init(_ text: String) throws(Refusal) {
        // No room for U+0000: PostgreSQL has none for it in its text and jsonb (manual, 8.3 and 8.14).
        guard !text.utf8.contains(0) else { throw Refusal(.invalidFields, "The text must not contain the character U+0000.") }
        var rest = text[...]
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        self.text = rest.utf8.count == text.utf8.count ? text : String(rest)
        guard (1...Self.limit).contains(self.text.utf8.count) else {
            throw Refusal(.invalidFields, self.text.isEmpty ? "The text is empty." : "The text is longer than \(Self.limit) bytes.")
        }
    }

    init(from decoder: any Decoder) throws {
        try self.init(try decoder.singleValueContainer().decode(String.self))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
