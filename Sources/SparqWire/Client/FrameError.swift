/// Why a frame is not a message.
public enum FrameError: Error, Equatable, Sendable {
    /// Not JSON (RFC 8259), or not UTF-8.
    case notJSON(JSONError)
    /// JSON, but not an object.
    case notAnObject
    /// An object without `type`.
    case missingType
    /// `type` is no string of 1 to 128 bytes, or holds control characters. Carries the `id`, where there was one.
    case invalidType(id: String?)
    /// `type` begins with `$`: it is the system's own, and no message for a handler. Carries the `id`, where there was one.
    case reservedType(String, id: String?)
    /// `id` is no string of 1 to 128 bytes, or holds control characters (U+0000 to U+001F, U+007F to U+009F).
    case invalidID

    /// The stable code of the reply.
    public var code: ErrorCode {
        switch self {
        case .notJSON: .notJSON
        case .notAnObject: .notAnObject
        case .missingType: .missingType
        case .invalidType, .reservedType: .invalidType
        case .invalidID: .invalidID
        }
    }

    /// One sentence for people.
    public var message: String {
        switch self {
        case .notJSON(let error): "The message is not JSON: \(error)."
        case .notAnObject: "A message is a JSON object."
        case .missingType: "A message has a \"type\"."
        case .invalidType, .reservedType:
            "A \"type\" is a string of 1 to \(FrameScanner.nameLimit) bytes without control characters that does not begin with \"$\"."
        case .invalidID: "An \"id\" is a string of 1 to \(FrameScanner.nameLimit) bytes without control characters."
        }
    }

    /// The `id` of the message, as far as it could be read.
    public var id: String? {
        switch self {
        case .invalidType(let id), .reservedType(_, let id): id
        case .notJSON, .notAnObject, .missingType, .invalidID: nil
        }
    }
}
