import Testing

@testable import SparqWorker

@Suite struct ReadinessTests {
    @Test func calmBeginsWithTheLastPartAndEndsWithTheFirst() {
        let readiness = Readiness { _ in }
        readiness.set(.database, true)
        readiness.set(.consumer, true)
        #expect(readiness.calm == .zero)
        readiness.set(.publisher, true)
        #expect(readiness.calm > .zero)
        // A broker that is away for longer than a lease must not cost the nodes theirs.
        readiness.set(.consumer, false)
        #expect(readiness.calm == .zero)
    }
}
