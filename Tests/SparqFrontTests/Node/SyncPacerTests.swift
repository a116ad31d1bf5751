import Testing

@testable import SparqFrontCore

@Suite struct SyncPacerTests {
    private let timing = SyncTiming(firstRetry: 3000, slow: 500, longestRetry: 30_000, silence: 10_000, expiry: 60_000)
    private let limits = SyncLimits(topics: 10, unanswered: 4, unansweredOfBulk: 3)

    private func pacer() -> SyncPacer { SyncPacer(limits: limits, timing: timing) }

    /// Sends what can be sent; returns the requests' versions and topics.
    private func send(_ pacer: inout SyncPacer, _ version: inout Int, now: Int) -> [(version: Int, turn: SyncPacer.Turn)] {
        var sent: [(Int, SyncPacer.Turn)] = []
        while let turn = pacer.next(now: now) {
            version += 1
            pacer.asked(turn, version: version, topics: Dictionary(uniqueKeysWithValues: turn.topics.map { ($0, 0) }), now: now)
            sent.append((version, turn))
        }
        return sent
    }

    @Test func aCrowdIsAskedForPieceByPiece() {
        var pacer = pacer()
        var version = 0
        pacer.wantAll((0..<100).map { "room:\($0)" })
        #expect(send(&pacer, &version, now: 0).map(\.turn.topics.count) == [10, 10, 10])
        // One answer, one request more.
        pacer.heard(now: 1)
        for topic in pacer.topics(of: 2).keys { pacer.settle(topic, now: 1) }
        #expect(send(&pacer, &version, now: 1).map(\.version) == [4])
        #expect(send(&pacer, &version, now: 2).isEmpty && pacer.unanswered == 3)
        // A new subscriber does not wait for the crowd.
        pacer.want("room:new", .live)
        #expect(send(&pacer, &version, now: 2).map(\.turn.topics) == [["room:new"]])
    }

    @Test func whatWaitsHereIsNotRepeatedAndWhatNobodyAnswersNeither() {
        var pacer = pacer()
        var version = 0
        pacer.wantAll((0..<100).map { "room:\($0)" })
        #expect(send(&pacer, &version, now: 0).count == 3)
        // No worker says anything.
        for now in stride(from: 0, through: 50_000, by: 100) { #expect(send(&pacer, &version, now: now).isEmpty) }
        // One is back: what it finds in the queue has its time.
        pacer.heard(now: 50_000)
        #expect(send(&pacer, &version, now: 52_999).isEmpty)
        let again = send(&pacer, &version, now: 53_000)
        #expect(again.count == 3 && again.allSatisfy { $0.turn.attempt == 1 && $0.turn.topics.count == 10 })
        #expect(pacer.unanswered == 3)
    }

    @Test func whatTheBrokerHasDroppedIsAskedAgain() {
        var pacer = pacer()
        var version = 0
        pacer.want("room:a", .live)
        #expect(send(&pacer, &version, now: 0).count == 1)
        #expect(send(&pacer, &version, now: 59_999).isEmpty)
        #expect(send(&pacer, &version, now: 60_000).map(\.turn.topics) == [["room:a"]])
    }

    @Test func repeatsBackOff() {
        var pacer = pacer()
        var version = 0
        var times: [Int] = []
        pacer.heard(now: -1)
        pacer.want("room:a", .live)
        for now in stride(from: 0, through: 110_000, by: 500) {
            if !send(&pacer, &version, now: now).isEmpty { times.append(now) }
            pacer.heard(now: now + 1)
        }
        #expect(times == [0, 3000, 9000, 21_000, 45_000, 75_000, 105_000])
    }

    /// Where many nodes ask, an answer takes its time; what takes so long is not lost.
    @Test func whereAnswersTakeLongTheTimeToTheNextTryIsLonger() {
        var pacer = pacer()
        var version = 0
        pacer.want("room:a", .live)
        _ = send(&pacer, &version, now: 0)
        pacer.heard(now: 2000)
        pacer.settle("room:a", now: 2000)
        pacer.want("room:b", .live)
        _ = send(&pacer, &version, now: 2000)
        pacer.heard(now: 9000)
        #expect(send(&pacer, &version, now: 9999).isEmpty)
        #expect(send(&pacer, &version, now: 10_000).map(\.turn.topics) == [["room:b"]])
    }

    /// One of two workers stands still: what it has does not keep new subscribers waiting.
    @Test func aWorkerThatStandsStillKeepsNoPlace() {
        var pacer = pacer()
        var version = 0
        for now in stride(from: 0, to: 2400, by: 100) {
            let topic = "room:\(now)"
            pacer.want(topic, .live)
            let sent = send(&pacer, &version, now: now).map(\.turn.topics).flatMap(\.self)
            // Every second one is with the worker that answers.
            if now % 200 == 0, sent.contains(topic) {
                pacer.heard(now: now + 1)
                pacer.settle(topic, now: now + 1)
            }
        }
        pacer.want("room:last", .live)
        #expect(send(&pacer, &version, now: 3000).contains { $0.turn.topics == ["room:last"] })
        // Were nobody to answer, no more than the usual ones would be on their way.
        var alone = self.pacer()
        for now in stride(from: 0, to: 2400, by: 100) {
            alone.want("room:\(now)", .live)
            _ = send(&alone, &version, now: now)
        }
        #expect(alone.unanswered == 4)
    }

    @Test func newSubscribersLeaveAPlaceToTheCrowd() {
        var pacer = pacer()
        var version = 0
        pacer.wantAll((0..<30).map { "room:\($0)" })
        for number in 0..<100 { pacer.want("new:\(number)", .live) }
        let sent = send(&pacer, &version, now: 0)
        #expect(sent.count { $0.turn.urgency == .live } == 3)
        #expect(sent.count { $0.turn.urgency == .bulk } == 1)
    }

    @Test func whatIsGoneIsNotAskedFor() {
        var pacer = pacer()
        var version = 0
        pacer.want("room:a", .live)
        pacer.want("room:b", .live)
        pacer.settle("room:a", now: 0)
        #expect(send(&pacer, &version, now: 0).map(\.turn.topics) == [["room:b"]])
        pacer.settle("room:b", now: 1)
        #expect(pacer.isIdle && pacer.unanswered == 0)
    }

    @Test func aTopicWithHeldEventsGoesBeforeTheCrowd() {
        var pacer = pacer()
        var version = 0
        pacer.wantAll((0..<100).map { "room:\($0)" })
        _ = send(&pacer, &version, now: 0)
        pacer.want("room:99", .live)
        #expect(send(&pacer, &version, now: 0).map(\.turn.topics) == [["room:99"]])
        // Not once more with the crowd.
        var asked = ["room:99"]
        while !pacer.isIdle {
            for topic in (1...version).flatMap({ pacer.topics(of: $0).keys }) { pacer.settle(topic, now: 1) }
            asked += send(&pacer, &version, now: 1).flatMap(\.turn.topics)
        }
        #expect(asked.filter { $0 == "room:99" }.count == 1)
    }

    /// Whatever is answered, lost, left and wanted anew: the limits hold, and in the end all is answered.
    @Test(arguments: UInt64(0)..<30)
    func randomLives(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var pacer = pacer()
        let names = (0..<200).map { "room:\($0)" }
        var open: Set<String> = []
        var requests: [(version: Int, topics: [String])] = []
        var version = 0
        var now = 0
        func step(isLossy: Bool) {
            now += Int.random(in: 0...300, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0 where isLossy:
                open = Set(names)
                pacer.wantAll(names)
            case 1..<3 where isLossy:
                let name = names.randomElement(using: &generator) ?? ""
                open.insert(name)
                pacer.want(name, generator.chance(50) ? .live : .bulk)
            case 3 where isLossy:
                let name = names.randomElement(using: &generator) ?? ""
                open.remove(name)
                pacer.settle(name, now: now)
            case 4..<9:
                guard !requests.isEmpty else { return }
                let request = requests.remove(at: Int.random(in: 0..<requests.count, using: &generator))
                if isLossy, generator.chance(20) { return }
                pacer.heard(now: now)
                for topic in pacer.topics(of: request.version).keys {
                    open.remove(topic)
                    pacer.settle(topic, now: now)
                }
            default: pacer.heard(now: now)
            }
            for (version, turn) in send(&pacer, &version, now: now) {
                #expect(turn.topics.count <= limits.topics && open.isSuperset(of: turn.topics))
                requests.append((version, turn.topics))
            }
            #expect(pacer.unanswered <= limits.unansweredAtMost)
            #expect(pacer.isIdle == open.isEmpty)
        }
        for _ in 0..<2000 { step(isLossy: true) }
        for _ in 0..<5000 where !pacer.isIdle { step(isLossy: false) }
        #expect(pacer.isIdle && open.isEmpty)
    }
}
