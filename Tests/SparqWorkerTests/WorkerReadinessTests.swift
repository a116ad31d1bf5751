import Testing

@testable import SparqWorker

@Suite struct WorkerReadinessTests {
    @Test func calmBeginsWithTheLastPartAndEndsWithTheFirst() {
        let readiness = WorkerReadiness { _ in }
        for part in WorkerReadiness.Part.allCases where part != .publisher { readiness.set(part, true) }
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
