import HTTPTypes
import SparqWire

/// The status of a response, by the reply's error code (docs/PROTOCOL.md, "HTTP").
enum ReplyStatus {
    static func status(_ code: ErrorCode) -> HTTPResponse.Status {
        switch code {
        case .notJSON, .notAnObject, .missingType, .invalidType, .invalidID, .binaryFrame, .unknownType, .invalidFields, .invalidCursor,
            .tooManyTopics, .needsSocket:
            .badRequest
        case .unauthenticated: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .rateLimited: .tooManyRequests
        case .internal: .internalServerError
        case .unavailable: .serviceUnavailable
        default: .unprocessableContent
        }
    }
}
