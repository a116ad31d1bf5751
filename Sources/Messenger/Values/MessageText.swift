import SparqProtocol
import SparqWorker

/// What somebody says: 1 to 4,000 bytes of UTF-8 once the white space around it is gone.
struct MessageText: Hashable, Sendable, Codable {
    static let limit = 4000

    let text: String

    init(_ text: String) throws(Refusal) {
        // No room for U+0000: PostgreSQL has none for it in its text and jsonb (manual, 8.3 and 8.14).
        guard !text.utf8.contains(0) else { throw Refusal(.invalidFields, "The text must not contain the character U+0000.") }
        let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        self.text = String(trimmed)
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
