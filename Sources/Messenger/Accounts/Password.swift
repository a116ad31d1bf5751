import SparqProtocol
import SparqWorker

/// A password on its way to being hashed: 8 to 256 bytes. Never shown, never encoded.
struct Password: Decodable, Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    /// Refuses what may not become a password. Logging in does not ask: a wrong length is a wrong password.
    func requireLength() throws(Refusal) {
        guard (8...256).contains(text.utf8.count) else { throw Refusal(.invalidFields, "A password has 8 to 256 bytes.") }
    }

    var description: String { "(hidden)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}
