import Testing

@testable import SparqFrontCore

@Suite struct TokenBucketTests {
    @Test func burstThenRate() {
        let rate = TokenBucket.Rate(perSecond: 100, burst: 200)
        var bucket = TokenBucket()
        let start = 5_000_000_000
        let burst = (0..<300).count { _ in bucket.take(rate, now: start) }
        #expect(burst == 200)
        let second = (1...1000).count { bucket.take(rate, now: start + $0 * 1_000_000) }
        #expect(second == 100)
    }

    @Test func whoWaitsAsLongAsItSaysGetsAToken() {
        let rate = TokenBucket.Rate(perSecond: 10, burst: 3)
        var bucket = TokenBucket()
        for _ in 0..<3 { #expect(bucket.wait(rate, now: 7) == 0 && bucket.take(rate, now: 7)) }
        #expect(!bucket.take(rate, now: 7) && bucket.wait(rate, now: 7) == 100_000_000)
        #expect(!bucket.take(rate, now: 7 + 99_999_999) && bucket.take(rate, now: 7 + 100_000_000))
    }

    @Test func manyAtOnceEmptyItAndNoMore() {
        let rate = TokenBucket.Rate(perSecond: 10, burst: 3)
        var bucket = TokenBucket()
        #expect(bucket.takeAll(2, rate, now: 7) && bucket.take(rate, now: 7) && !bucket.take(rate, now: 7))
        var flooded = TokenBucket()
        #expect(flooded.takeAll(1_000_000, rate, now: 7) && !flooded.takeAll(1_000_000, rate, now: 8))
        // It is empty, not in debt.
        #expect(flooded.wait(rate, now: 8) == 100_000_000 && flooded.take(rate, now: 8 + 100_000_000))
    }

    @Test func neverMoreThanItMayBe() {
        var generator = SeededGenerator(seed: 11)
        let rate = TokenBucket.Rate(perSecond: 50, burst: 20)
        var bucket = TokenBucket()
        var now = 0
        var taken: [Int] = []
        for _ in 0..<20_000 {
            now += Int.random(in: 0...20_000_000, using: &generator)
            if bucket.take(rate, now: now) { taken.append(now) }
        }
        for (index, time) in taken.enumerated() where index >= 20 {
            // In any time, the burst and what flowed in.
            let earlier = taken[index - 20]
            #expect(time - earlier >= rate.interval)
        }
    }
}
