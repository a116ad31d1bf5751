/// Why bytes are not the JSON text that was expected, and at which byte.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    package enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedByte = "a character that is not allowed here"
        case invalidEscape = "an escape that JSON does not know"
        case invalidSurrogate = "half of a surrogate pair"
        case invalidUTF8 = "bytes that are not UTF-8"
        case controlCharacter = "a control character inside a string"
        case invalidNumber = "a malformed number"
        case tooDeep = "nesting beyond the limit"
        case trailingBytes = "bytes after the value"
        case duplicateKey = "a reserved key that stands twice"
        case wrongKind = "a value of another kind than expected"
        case missingKey = "a key that must be there is not"
    }

    /// What is wrong.
    package let reason: Reason
    /// Offset of the offending byte, from the start of the text.
    package let offset: Int

    /// An error at a byte.
    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// One sentence for people; holds nothing of the text itself.
    package var description: String { "\(reason.rawValue), at byte \(offset)" }
}
