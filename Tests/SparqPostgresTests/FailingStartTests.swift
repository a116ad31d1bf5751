import Logging
import Synchronization
import Testing

@testable import SparqPostgres

/// Connections whose thread cannot even be started, as without file descriptors.
@Suite(.timeLimit(.minutes(1))) struct FailingStartTests {
    private final class Attempts: Sendable {
        let times = Mutex<[ContinuousClock.Instant]>([])
        var count: Int { times.withLock { $0.count } }
        func wait(for wanted: Int) async throws { while count < wanted { try await Task.sleep(for: .milliseconds(2)) } }
    }

    private func withPool(_ body: (PostgresPool, Attempts) async throws -> Void) async throws {
        var configuration = try PostgresConfiguration(url: "host=/nowhere")
        configuration.acquireTimeout = .milliseconds(100)
        configuration.backoff = PostgresBackoff(initial: .milliseconds(5), maximum: .milliseconds(40))
        let attempts = Attempts()
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
            (_, _, _, _, _) throws(PostgresError) in
            attempts.times.withLock { $0.append(.now) }
            throw PostgresError(.connectionFailed, "no descriptors")
        }
        let running = Task { try await pool.run() }
        try await body(pool, attempts)
        running.cancel()
        try await running.value
        #expect(pool.state == .closed)
    }

    /// Called one out of the other they would end in a stack overflow; without pauses they would take a core.
    @Test func attemptsFollowEachOtherWithGrowingPauses() async throws {
        try await withPool { pool, attempts in
            try await attempts.wait(for: 12)
            #expect(pool.state == .unavailable)
            let times = attempts.times.withLock { $0 }
            // The first pauses: 0, half of 5, half of 10, half of 20, then half of 40 ms at least.
            #expect(times[11] - times[0] >= .milliseconds(2 + 5 + 10 + 7 * 20))
        }
    }

    @Test func callersAreToldTheCause() async throws {
        try await withPool { pool, _ in
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.code == .poolTimeout && error?.message.contains("no descriptors") == true)
        }
    }
}
