import Foundation

struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// Looks until `condition` holds. For what other processes do, where nothing can be awaited.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(30),
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw TimedOut(description: "After \(limit) still not: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// The value as soon as there is one.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(30),
    isolation: isolated (any Actor)? = #isolation,
    _ value: () async throws -> Value?
) async throws -> Value {
    var found: Value?
    try await eventually(what, within: limit) {
        found = try await value()
        return found != nil
    }
    guard let found else { throw TimedOut(description: what) }
    return found
}
