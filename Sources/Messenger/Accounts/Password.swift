import Sparq

/// A password on its way to being hashed. Never shown, never encoded.
///
/// Keyboards write the same characters in several forms; one of them is hashed (RFC 8265, OpaqueString): every space is U+0020, and the text is in
/// Unicode's form NFC. There are no control characters in it.
struct Password: Decodable, Sendable, CustomStringConvertible, CustomReflectable {
    static let limits = 8...256
    /// Bytes of what is typed. Form NFC takes a third of what it is made from, or more.
    private static let typedLimit = 4 * limits.upperBound

    private let typed: String

    init(from decoder: any Decoder) throws {
        typed = try decoder.singleValueContainer().decode(String.self)
    }

    /// What is hashed for a new account: 8 to 256 bytes. Refuses what may not become a password.
    var prepared: String {
        get throws(Refusal) {
            let length = Refusal(.invalidFields, "A password has 8 to 256 bytes.")
            guard typed.utf8.count <= Self.typedLimit else { throw length }
            guard let form else { throw Refusal(.invalidFields, "A password has no control characters.") }
            guard Self.limits.contains(form.utf8.count) else { throw length }
            return form
        }
    }

    /// What somebody who logs in may mean, in the order in which it is tried: the form that is hashed today, then what was typed, because that is
    /// what was hashed before there was a form. What no password can be becomes an empty one: wrong, and no reason to hash kilobytes. How many
    /// there are does not depend on the account.
    var candidates: [String] {
        guard typed.utf8.count <= Self.typedLimit else { return [""] }
        let forms = [form, typed].compactMap { $0 }.map { $0.utf8.count > Self.limits.upperBound ? "" : $0 }
        // Swift takes two forms of the same text for equal.
        return forms.count == 2 && forms[0].utf8.elementsEqual(forms[1].utf8) ? [forms[0]] : forms
    }

    /// `nil` where there are control characters.
    private var form: String? {
        var scalars = String.UnicodeScalarView()
        for scalar in typed.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control: return nil
            case .spaceSeparator: scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        return String(scalars).composed
    }

    var description: String { "(hidden)" }
    var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension PasswordHasher {
    /// Checks what was typed against a stored hash. Where an account's hash is of what was typed and not of its form, the verdict holds the form's
    /// hash, so that the account has it from now on.
    func verify(_ password: Password, against stored: String?) async throws -> Verdict {
        let candidates = password.candidates
        for (index, candidate) in candidates.enumerated() {
            guard case .right(let rehashed) = try await verify(candidate, against: stored) else { continue }
            return .right(rehashed: index > 0 && !candidates[0].isEmpty ? try await hash(candidates[0]) : rehashed)
        }
        return .wrong
    }
}
