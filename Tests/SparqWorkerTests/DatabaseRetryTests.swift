import Logging
import Testing

@testable import SparqPostgres
@testable import SparqWorker

@Suite struct DatabaseRetryTests {
    private let health = DatabaseHealth(logger: quiet)
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func error(_ state: String) -> PostgresError {
        var error = PostgresError(.server, "made up")
        error.sqlState = state
        return error
    }

    private func fail(_ state: String, _ asked: AskedOfDatabase, times: Int = .max) async -> PostgresError? {
        let retry = DatabaseRetry(logger: Self.quiet, health: health, patience: .zero)
        var tries = 0
        do {
            try await retry(asked) {
                tries += 1
                if tries <= times { throw Self.error(state) }
            }
            return nil
        } catch { return error as? PostgresError }
    }

    /// Or a handler whose SQL never works would keep dead nodes from being found.
    @Test func theTroubleOfHandlersAloneIsNoneOfTheDatabases() async throws {
        try await Task.sleep(for: .milliseconds(50))
        #expect(await fail("XX000", .handlers)?.sqlState == "XX000")
        #expect(health.calm >= .milliseconds(50))
        let start = ContinuousClock.now
        #expect(await fail("58030", .handlers, times: 1) == nil)
        #expect(health.calm <= .now - start)
        try await Task.sleep(for: .milliseconds(50))
        let later = ContinuousClock.now
        #expect(await fail("XX000", .own)?.sqlState == "XX000")
        #expect(health.calm <= .now - later)
    }

    /// A set is taken apart at once; a look-up behind a commit is waited for.
    @Test func whatTheServerFailsOverIsWaitedForByWhoAsks() async {
        #expect(DatabaseRemedy(.defect, .ownAtFirst) == nil)
        #expect(DatabaseRemedy(.defect, .own) == .waitAWhile && DatabaseRemedy(.defect, .followUp) == .wait)
        #expect(DatabaseRemedy(.slowness, .handlers) == nil && DatabaseRemedy(.slowness, .ownAtFirst) == .wait)
        #expect(DatabaseRemedy(.schema, .handlers) == nil && DatabaseRemedy(.schema, .ownAtFirst) == .wait)
        #expect(DatabaseRemedy(.conflict, .handlers) == .again && DatabaseRemedy(.outage, .ownAtFirst) == .wait)
    }
}
