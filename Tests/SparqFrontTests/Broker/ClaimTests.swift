import Testing

@testable import SparqFrontCore

@Suite struct ClaimTests {
    @Test func aFrontThatHadItsIdIsNotPutOutByItsOwnOldConnection() {
        var claim = Claim(patience: .seconds(180))
        var now = ContinuousClock.now
        #expect(claim.answered(.unknown, now: now) == nil)
        #expect(claim.answered(.refused, now: now) == nil && claim.isRefused)
        #expect(claim.answered(.granted, now: now) == .won && !claim.isRefused)
        #expect(claim.answered(.granted, now: now) == nil)
        // The connection is cut, and the broker does not know it yet.
        for _ in 0..<170 {
            now += .seconds(1)
            #expect(claim.answered(.refused, now: now) == nil)
            #expect(claim.answered(.unknown, now: now) == nil)
        }
        #expect(claim.answered(.granted, now: now) == nil)
        // Another front has it.
        #expect(claim.answered(.refused, now: now) == nil)
        now += .seconds(180)
        #expect(claim.answered(.refused, now: now) == .lost)
        #expect(claim.answered(.refused, now: now + .seconds(1000)) == nil)
        #expect(claim.answered(.granted, now: now + .seconds(1001)) == .won)
    }
}
