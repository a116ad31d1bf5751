import Testing

@testable import SparqWorker

@Suite struct ReadinessTests {
    @Test func calmBeginsWithTheLastPartAndEndsWithTheFirst() {
        let readiness = Readiness { _ in }
        for part in Readiness.Part.allCases where part != .publisher { readiness.set(part, true) }
        #expect(readiness.calm == .zero)
        readiness.set(.publisher, true)
        #expect(readiness.calm > .zero)
        // What handlers lack must not keep dead nodes from being found.
        readiness.set(.handlers, false)
        readiness.set(.progress, false)
        #expect(readiness.calm > .zero)
        // A broker that is away for longer than a lease must not cost the nodes theirs.
        readiness.set(.nodeConsumer, false)
        #expect(readiness.calm == .zero)
    }
}
