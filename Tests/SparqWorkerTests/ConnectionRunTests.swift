import SparqWire
import Testing

@testable import SparqWorker

/// Whose time is over, and who has only waited.
@Suite struct ConnectionRunTests {
    private static func run() -> ConnectionRun { ConnectionRun(alone: envelope(), batch: InboundBatch { _ in }) { _, _ in } }

    @Test func whatAHandlerWaitsIsNotItsTime() async throws {
        let run = Self.run()
        try await run.limited(.seconds(10), 0) {
            let start = ContinuousClock.now
            #expect(run.overdue(now: start + .seconds(9)) == nil)
            #expect(run.overdue(now: start + .seconds(11))?.hasWaited == false)
            // Two reads at once, from the second 2 to the second 7.
            run.waits(true, 0, now: start + .seconds(2))
            run.waits(true, 0, now: start + .seconds(3))
            run.waits(false, 0, now: start + .seconds(4))
            #expect(run.overdue(now: start + .seconds(11)) == nil)
            run.waits(false, 0, now: start + .seconds(7))
            #expect(run.overdue(now: start + .seconds(14)) == nil)
            #expect(run.overdue(now: start + .seconds(16))?.hasWaited == false)
        }
        #expect(run.overdue(now: .now + .seconds(3600)) == nil)
    }

    @Test func whoWaitsForSoLongAsItMayRunIsNotAtFault() async throws {
        let run = Self.run()
        try await run.limited(.seconds(10), 0) {
            let start = ContinuousClock.now
            run.waits(true, 0, now: start + .seconds(1))
            #expect(run.overdue(now: start + .seconds(19)) == nil)
            #expect(run.overdue(now: start + .seconds(21))?.hasWaited == true)
            // Another run's wait says nothing about this one.
            let other = Self.run()
            try await other.limited(.seconds(10), 0) { #expect(other.overdue(now: start + .seconds(21))?.hasWaited == false) }
        }
    }

    /// A wait that began before the work counts from where that began; what a task waits from which the run was taken counts no more.
    @Test func onlyTheWaitsOfTheTaskAtWorkCount() async throws {
        let run = Self.run()
        let start = ContinuousClock.now
        run.waits(true, 0, now: start - .seconds(100))
        await #expect(throws: ConnectionRun.Superseded.self) {
            try await run.limited(.seconds(10), 0) {
                run.waits(false, 0, now: start + .seconds(5))
                #expect(run.overdue(now: start + .seconds(14)) == nil)
                #expect(run.overdue(now: start + .seconds(17))?.hasWaited == false)
                run.waits(true, 0, now: start + .seconds(6))
                run.started(Task {}, as: 0)
                #expect(run.supersede(now: start + .seconds(30))?.owner == 1)
                run.waits(false, 0, now: start + .seconds(31))
            }
        }
        try await run.limited(.seconds(10), 1) {
            let start = ContinuousClock.now
            #expect(run.overdue(now: start + .seconds(11))?.hasWaited == false)
            run.databaseWasAway(for: .seconds(3600), now: start + .seconds(4))
            #expect(run.overdue(now: start + .seconds(13)) == nil)
        }
    }
}
