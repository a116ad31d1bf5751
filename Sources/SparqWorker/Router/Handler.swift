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
