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
    /// The frame is not JSON, or not UTF-8.
    public static let notJSON: Self = "not_json"
    /// The frame is JSON, but no object.
    public static let notAnObject: Self = "not_an_object"
    /// The message has no `type`.
    public static let missingType: Self = "missing_type"
    /// The `type` cannot be one.
    public static let invalidType: Self = "invalid_type"
    /// The `id` cannot be one: no string, empty, too long, or with control characters.
    public static let invalidID: Self = "invalid_id"
    /// Binary frames carry no messages.
    public static let binaryFrame: Self = "binary_frame"
    /// The body of the request is over the limit.
    public static let tooLarge: Self = "too_large"
    /// More messages per second than allowed.
    public static let rateLimited: Self = "rate_limited"
    /// The message is for a WebSocket, and came by HTTP.
    public static let needsSocket: Self = "needs_socket"
    /// No answer in time, or no broker or no worker to give one. The message may be sent again under the same `id`.
    public static let unavailable: Self = "unavailable"

    // What a front finds of an HTTP request that is no message.
    /// The request is malformed.
    package static let badRequest: Self = "bad_request"
    /// The WebSocket handshake is malformed.
    package static let badHandshake: Self = "bad_handshake"
    /// The address has other methods.
    package static let methodNotAllowed: Self = "method_not_allowed"
    /// Pages of this origin may not connect.
    package static let originNotAllowed: Self = "origin_not_allowed"
    /// The request did not arrive in time.
    package static let timeout: Self = "timeout"
    /// The request expects what no front does.
    package static let expectationFailed: Self = "expectation_failed"
    /// The address is for WebSockets.
    package static let upgradeRequired: Self = "upgrade_required"
    /// The request's headers are too large.
    package static let headersTooLarge: Self = "headers_too_large"

    // What a worker finds.
    /// No handler serves this `type`.
    public static let unknownType: Self = "unknown_type"
    /// The fields do not decode, or have values that cannot be.
    public static let invalidFields: Self = "invalid_fields"
    /// Only users may do this, and the client is nobody.
    public static let unauthenticated: Self = "unauthenticated"
    /// The user may not do this.
    public static let forbidden: Self = "forbidden"
    /// What the message speaks of is not there.
    public static let notFound: Self = "not_found"
    /// What the message wants to make is there already.
    public static let conflict: Self = "conflict"
    /// The cursor is negative, no whole number, or ahead of the log.
    public static let invalidCursor: Self = "invalid_cursor"
    /// More topics than a connection may have, or than one message may name.
    public static let tooManyTopics: Self = "too_many_topics"
    /// The handler failed for good; an operator finds the message among the dead ones.
    public static let `internal`: Self = "internal"
}
