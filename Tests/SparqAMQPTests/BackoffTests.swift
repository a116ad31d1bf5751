import Testing

@testable import SparqAMQP

@Suite struct BackoffTests {
    @Test func theCeilingDoublesUpToTheMaximum() {
        var backoff = Backoff(BackoffSettings(initial: .milliseconds(100), maximum: .milliseconds(1000)))
        var random = SeededGenerator(1)
        var ceilings: [Duration] = []
        for _ in 0..<6 {
            ceilings.append(backoff.ceiling)
            _ = backoff.next(using: &random)
        }
        #expect(ceilings == [100, 200, 400, 800, 1000, 1000].map { Duration.milliseconds($0) })
        backoff.reset()
        #expect(backoff.ceiling == .milliseconds(100))
    }

    @Test(arguments: 0..<UInt64(20))
    func delaysSpreadBetweenZeroAndTheCeiling(seed: UInt64) {
        var random = SeededGenerator(seed)
        var delays: [Duration] = []
        for _ in 0..<50 {
            var backoff = Backoff(BackoffSettings())
            let ceiling = backoff.ceiling
            let delay = backoff.next(using: &random)
            #expect(delay >= .zero && delay <= ceiling)
            delays.append(delay)
        }
        #expect(delays.contains { $0 < .milliseconds(30) } && delays.contains { $0 > .milliseconds(70) })
    }

    @Test func manyFailuresDoNotOverflow() {
        var backoff = Backoff(BackoffSettings(initial: .nanoseconds(1), maximum: .seconds(10)))
        var random = SeededGenerator(3)
        for _ in 0..<10_000 { _ = backoff.next(using: &random) }
        #expect(backoff.ceiling == .seconds(10))
    }
}
