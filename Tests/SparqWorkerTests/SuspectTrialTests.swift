import Testing

@testable import SparqWorker

/// Who is acquitted: whoever has run and lived, or has had its time.
@Suite struct SuspectTrialTests {
    private let start = ContinuousClock.now
    private let trial: SuspectTrial

    init() { trial = SuspectTrial(patience: .seconds(10), start: start) }

    @Test func whatIsThroughWithoutHavingRunHasShownNothing() {
        trial.begins("a", now: start)
        trial.ends("a")
        // Turned away.
        trial.ends("b")
        #expect(trial.survivors(["a", "b"], now: start) == ["a"])
        #expect(trial.survivors(["a", "b"], now: start + .seconds(3600)) == ["a"])
        #expect(trial.left(["a", "b"], now: start) == .zero)
    }

    @Test func itsTimeCountsFromWhenItsCodeBegan() {
        trial.begins("a", now: start + .seconds(9))
        trial.begins("a", now: start + .seconds(11))
        #expect(trial.left(["a"], now: start + .seconds(10)) == .seconds(9))
        #expect(trial.survivors(["a"], now: start + .seconds(18)).isEmpty)
        #expect(trial.survivors(["a"], now: start + .seconds(19)) == ["a"])
        #expect(trial.left(["a"], now: start + .seconds(19)) == .zero)
    }

    /// Under a lock it waits for its turn in each life of its worker.
    @Test func whoWaitsForItsTurnIsNotHeldForEver() {
        #expect(trial.left(["a"], now: start + .seconds(4)) == .seconds(6))
        #expect(trial.survivors(["a"], now: start + .seconds(9)).isEmpty)
        #expect(trial.survivors(["a"], now: start + .seconds(10)) == ["a"])
    }
}
