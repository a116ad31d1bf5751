package import SparqPostgres

/// A handler whose message type has been erased: it decodes, then runs.
package struct Handler: Sendable {
    package enum Body: Sendable {
        case effects(@Sendable (ArraySlice<UInt8>, Context) async throws -> [Effect])
        case transaction(@Sendable (ArraySlice<UInt8>, Context, PostgresTransaction) async throws -> [Effect])
    }

    package let access: Access
    /// Its messages carry secrets.
    package var isSecret = false
    /// How long one run may take; `nil` means the worker's limit.
    package var timeLimit: Duration?
    package let body: Body
}

/// Who may send a message of a type.
public enum Access: Sendable, Hashable {
    /// Anonymous clients too, for logging in and the like.
    case anyone
    /// Only clients that are logged in; others get the error `unauthenticated`.
    case user
}
