import Testing

@testable import SparqAMQP

@Suite struct HeartbeatsTests {
    private let start = ContinuousClock.now

    @Test func silenceEndsALinkAfterTwoHeartbeats() {
        let heartbeats = Heartbeats(interval: .seconds(4), now: start)
        #expect(!heartbeats.isInDoubt(now: start + .seconds(1)))
        #expect(heartbeats.isInDoubt(now: start + .seconds(2)))
        #expect(heartbeats.silence(now: start + .milliseconds(7999)) == nil)
        #expect(heartbeats.silence(now: start + .seconds(8)) == .seconds(8))
    }

    @Test func whatArrivedMeanwhileCountsFromWhenItArrived() {
        var heartbeats = Heartbeats(interval: .seconds(4), now: start)
        heartbeats.heard(at: start + .seconds(7))
        // An older word takes nothing back.
        heartbeats.heard(at: start + .seconds(3))
        #expect(heartbeats.silence(now: start + .seconds(14)) == nil)
        #expect(heartbeats.silence(now: start + .seconds(15)) == .seconds(8))
    }

    @Test func weSendTwiceInEachHeartbeat() {
        var heartbeats = Heartbeats(interval: .seconds(4), now: start)
        let sent = (0..<80).filter { heartbeats.sendsNow(start + .milliseconds(100 * $0)) }
        #expect(sent == [20, 40, 60])
    }
}
