import FoundationEssentials
import SparqWire

/// Reads a handler's fields from the client's bytes, and says in one sentence what does not fit.
enum MessageDecoder {
    /// Used by many tasks at once: decoding does not change it, and nobody changes its settings.
    private static let decoder = JSONDecoder()

    static func decode<Message: Decodable>(_ type: Message.Type, from json: ArraySlice<UInt8>) throws -> Message {
        if type == RawMessage.self, let raw = RawMessage(json: json) as? Message { return raw }
        do {
            return try decoder.decode(type, from: Data(json))
        } catch let error as DecodingError {
            throw Refusal(.invalidFields, sentence(for: error))
        }
    }

    /// The same for what a client sent to a handler: without U+0000, which PostgreSQL's text cannot hold. ``RawMessage`` is the handler's own business.
    static func fields<Message: Decodable>(_ type: Message.Type, from json: ArraySlice<UInt8>) throws -> Message {
        if type != RawMessage.self, hasNull(json) {
            throw Refusal(.invalidFields, "The fields of the message must not contain the character U+0000.")
        }
        return try decode(type, from: json)
    }

    /// Whether some text of it has an escaped U+0000; JSON allows no other.
    static func hasNull(_ json: ArraySlice<UInt8>) -> Bool {
        json.withUnsafeBytes { bytes in
            var start = 0
            while let place = ByteSearch.first(UInt8(ascii: "\\"), in: bytes, from: start), place + 5 < bytes.count {
                if bytes[place + 1] == UInt8(ascii: "u"), bytes[(place + 2)...(place + 5)].allSatisfy({ $0 == UInt8(ascii: "0") }) {
                    return true
                }
                // What is escaped is passed over, be it a backslash.
                start = place + 2
            }
            return false
        }
    }

    private static func sentence(for error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "The field \"\(path(context.codingPath + [key]))\" is missing."
        case .valueNotFound(_, let context): "The field \"\(path(context.codingPath))\" must not be null."
        case .typeMismatch(let type, let context):
            context.codingPath.isEmpty
                ? "The message has fields of the wrong kind."
                : "The field \"\(path(context.codingPath))\" must be \(name(of: type))."
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "The fields of the message could not be read."
                : "The field \"\(path(context.codingPath))\" has a value that is not allowed."
        @unknown default: "The fields of the message could not be read."
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let index = key.intValue {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
        return text
    }

    private static func name(of type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any BinaryInteger.Type: "a whole number"
        case is any BinaryFloatingPoint.Type: "a number"
        case is [Any].Type: "an array"
        case is [String: Any].Type: "an object"
        default: "of another kind"
        }
    }
}
