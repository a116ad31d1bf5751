import Testing

/// A hang is a failure, not a wait without end.
func within<Value: Sendable>(_ limit: Duration, _ what: String, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value
{
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        let first = try await group.next() ?? nil
        return try #require(first, "not within \(limit): \(what)")
    }
}

/// Asks again until it is so.
func eventually(_ what: String, within limit: Duration = .seconds(15), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while !(try await condition()) {
        try #require(ContinuousClock.now < end, "never came true: \(what)")
        try await Task.sleep(for: .milliseconds(10))
    }
}
