import Testing

@testable import SparqFront

@Suite struct FrontReadinessTests {
    private static func connected() -> FrontReadiness.State {
        var state = FrontReadiness.State()
        state.isPublishing = true
        state.isConsuming = true
        return state
    }

    /// The lease is held from an answer until as long as it lasts has passed without another one; its end is told once.
    @Test(arguments: UInt64(0)..<100)
    func aLeaseLastsFromAnAnswerToItsEnd(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let lease = Int.random(in: 1...100, using: &generator)
        var state = Self.connected()
        var (now, answered) = (0, Int?.none)
        for _ in 0..<300 {
            now += Int.random(in: 0...(lease / 2 + 1), using: &generator)
            if generator.chance(30) {
                state.leaseAnswered(now: now)
                answered = now
            } else {
                let isOver = answered.map { now - $0 > lease } ?? false
                #expect(state.expireLease(now: now, after: lease) == isOver)
                if isOver { answered = nil }
            }
            #expect(state.isLeased == (answered != nil) && state.isReady == state.isLeased)
        }
    }

    /// What a queue may have lost is sent again once, when an answer has come through it.
    @Test func aDoubtLastsToTheNextAnswer() {
        var state = Self.connected()
        #expect(state.leaseAnswered(now: 1) == .init(isLeasedAgain: true, endsDoubt: false))
        state.doubt()
        #expect(state.isReady)
        #expect(state.leaseAnswered(now: 2) == .init(isLeasedAgain: false, endsDoubt: true))
        #expect(state.leaseAnswered(now: 3) == .init(isLeasedAgain: false, endsDoubt: false))
    }

    /// A front that is too slow for what comes loses more while it asks for what it lost.
    @Test func whatIsLostWhileItIsAskedForIsAskedForBehindThat() {
        var state = Self.connected()
        state.leaseAnswered(now: 1)
        #expect(state.lose() == true, "at once")
        state.doubt()
        #expect(state.leaseAnswered(now: 2) == .init(isLeasedAgain: false, endsDoubt: true))
        #expect(state.lose() == true)
        state.doubt()
        for _ in 0..<100 { #expect(state.lose() == false) }
        #expect(state.leaseAnswered(now: 3) == .init(isLeasedAgain: false, endsDoubt: false, beginsDoubt: true))
        state.doubt()
        #expect(state.leaseAnswered(now: 4) == .init(isLeasedAgain: false, endsDoubt: true))
        #expect(state.leaseAnswered(now: 5) == .init(isLeasedAgain: false, endsDoubt: false))
    }

    @Test func everythingThatIsMissingIsNamed() {
        var state = Self.connected()
        state.leaseAnswered(now: 1)
        #expect(String(decoding: state.json, as: UTF8.self).hasPrefix("{\"ready\":true,"))
        for part in [\FrontReadiness.State.isPublishing, \.isConsuming] {
            var other = state
            other[keyPath: part] = false
            #expect(!other.isReady && String(decoding: other.json, as: UTF8.self).hasPrefix("{\"ready\":false,"))
        }
        state.isDraining = true
        #expect(!state.isReady && state.isServed)
    }
}
