/// The stable codes of error replies. Programs act on these; the sentence beside them is for people.
///
/// Applications add their own by extending this type.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The code as it travels.
    public let rawValue: String

    /// A code of one's own.
    public init(rawValue: String) { self.rawValue = rawValue }
    /// A code of one's own.
    public init(stringLiteral value: String) { rawValue = value }
    /// The code as it travels.
    public var description: String { rawValue }

    // What a front finds.
    public static let notJSON: Self = "not_json"
    public static let notAnObject: Self = "not_an_object"
    public static let missingType: Self = "missing_type"
    public static let invalidType: Self = "invalid_type"
    public static let invalidID: Self = "invalid_id"
    public static let binaryFrame: Self = "binary_frame"
    public static let tooLarge: Self = "too_large"
    public static let rateLimited: Self = "rate_limited"
    /// No answer in time, or no broker or no worker to give one. The message may be sent again under the same `id`.
    public static let unavailable: Self = "unavailable"

    // What a worker finds.
    public static let unknownType: Self = "unknown_type"
    public static let invalidFields: Self = "invalid_fields"
    public static let unauthenticated: Self = "unauthenticated"
    public static let forbidden: Self = "forbidden"
    public static let notFound: Self = "not_found"
    public static let conflict: Self = "conflict"
    public static let invalidCursor: Self = "invalid_cursor"
    public static let tooManyTopics: Self = "too_many_topics"
    /// The handler failed for good; an operator finds the message among the dead ones.
    public static let `internal`: Self = "internal"
}
