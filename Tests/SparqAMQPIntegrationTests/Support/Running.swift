import SparqAMQP
import ServiceLifecycle

/// Runs services while the body runs, and cancels them after.
func running(_ services: any Service..., body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try await service.run() } }
        defer { group.cancelAll() }
        try await body()
    }
}
