import Testing

@testable import SparqClient

/// How clients behave while the service is away, for minutes or for a moment.
@Suite struct BackoffTests {
    /// Only the number of attempts bounds the delay.
    static let long = 10_000_000

    @Test func theDelayGrowsToItsCapAndIsSpread() {
        var top: [Int] = Array(repeating: 0, count: 12)
        for seed in 0..<200 {
            var backoff = Backoff(base: 100, cap: 30_000, seed: UInt64(seed))
            for attempt in 0..<12 {
                let delay = backoff.next(now: attempt * Self.long)
                #expect((0...min(30_000, 100 << attempt)).contains(delay))
                top[attempt] = max(top[attempt], delay)
            }
        }
        #expect(top[0] > 80 && top[5] > 2_800 && top[11] > 28_000, "\(top)")
    }

    /// A front that is away from 0 on, asked until it is back; the times of the attempts.
    static func attempts(until back: Int, status: Int?, seed: Int) -> [Int] {
        var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: UInt64(seed)))
        _ = machine.start(now: 0)
        var times = [0]
        while let now = times.last, now < back {
            guard let delay = ClientMachineTests.delay(machine.connectFailed(status: status, now: now)) else { return times }
            times.append(now + delay)
        }
        return times
    }

    @Test(arguments: [nil, 503])
    func whoComesBackAfterAShortOutageIsFoundWithinHalfOfIt(status: Int?) {
        for seed in 0..<300 {
            let found = Self.attempts(until: 5_000, status: status, seed: seed).last ?? 0
            #expect(found <= 5_000 + (status == nil ? 2_500 : 3_500), "seed \(seed)")
        }
    }

    @Test(arguments: [nil, 503])
    func aLongOutageIsLeftInPeace(status: Int?) {
        for seed in 0..<100 {
            let times = Self.attempts(until: 600_000, status: status, seed: seed)
            #expect(times.count < 100, "seed \(seed): \(times.count) attempts in ten minutes")
            let late = times.filter { $0 > 300_000 }
            #expect(late.count < 60, "seed \(seed): \(late.count) in the last five minutes")
        }
    }

    @Test func theServersOwnTimeCounts() {
        for seed in 0..<50 {
            var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: UInt64(seed)))
            _ = machine.start(now: 0)
            let delay = ClientMachineTests.delay(machine.connectFailed(status: 503, retryAfter: 7, now: 0)) ?? 0
            #expect((7_000...14_000).contains(delay))
            let bounded = ClientMachineTests.delay(machine.connectFailed(status: 503, retryAfter: 86_400, now: 0)) ?? 0
            #expect((60_000...90_000).contains(bounded), "nobody is sent away for a day")
        }
    }

    /// Two minutes into an outage: the next delay is one of a fresh start only where the connection in between has proven itself.
    private func bound(afterAConnectionOf duration: Int, answers: [String]) -> Int {
        var top = 0
        for seed in 0..<100 {
            var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: UInt64(seed)))
            _ = machine.start(now: 0)
            for attempt in 0..<9 { _ = machine.connectFailed(status: nil, now: attempt * 15_000) }
            machine.connected(now: 120_000)
            _ = machine.received(Array(ClientMachineTests.welcome.utf8), now: 120_000)
            _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: .max, now: 120_000)
            for answer in answers { _ = machine.received(Array(answer.utf8), now: 120_000) }
            top = max(top, ClientMachineTests.delay(machine.closed(code: nil, now: 120_000 + duration)) ?? 0)
        }
        return top
    }

    @Test func aWelcomeIsNoEndOfAnOutageAnAnswerOnAConnectionThatLastsIs() {
        let answer = #"{"re":"t-1","ok":true,"data":{}}"#
        let unavailable = #"{"re":"t-1","ok":false,"error":{"code":"unavailable"}}"#
        #expect(bound(afterAConnectionOf: 20_000, answers: []) > 20_000)
        #expect(bound(afterAConnectionOf: 20_000, answers: [unavailable]) > 20_000)
        #expect(bound(afterAConnectionOf: 1_000, answers: [answer]) > 20_000, "answered, and gone")
        #expect(bound(afterAConnectionOf: 5_000, answers: [answer]) <= 100)
        #expect(bound(afterAConnectionOf: 30_000, answers: []) <= 100, "nothing was answered, and it lasted")
    }

    @Test(arguments: ["t-1", "t-2", "t-3"])
    func whatIsUnavailableIsSentAgainLaterAndLater(id: String) {
        var waits: [Int] = []
        for seed in 0..<50 {
            var machine = ClientMachine(ClientMachine.Configuration(idPrefix: "t", seed: UInt64(seed)))
            _ = machine.start(now: 0)
            machine.connected(now: 0)
            _ = machine.received(Array(ClientMachineTests.welcome.replacing("25000", with: "9000000").utf8), now: 0)
            _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: .max, now: 0)
            _ = machine.subscribe(["a": nil, "b": nil], token: 2, deadline: .max)
            _ = machine.unsubscribe(["b"])
            var (now, id) = (0, id)
            for tries in 0..<12 {
                _ = machine.received(Array(#"{"re":"\#(id)","ok":false,"error":{"code":"unavailable"}}"#.utf8), now: now)
                let due = machine.nextTick ?? 0
                #expect((100...max(200, 100 + min(30_000, 100 << tries))).contains(due - now), "try \(tries)")
                if tries == 11 { waits.append(due - now) }
                now = due
                let written = machine.tick(now: now).compactMap(ClientMachineTests.text)
                #expect(written.count == 1)
                // An unsubscription is another message each time.
                if let again = written.first?.firstMatch(of: #/"id":"(t-\d+)"/#) { id = String(again.1) }
            }
        }
        #expect((waits.max() ?? 0) > 25_000, "\(waits)")
    }

    @Test func whoWasTooFastWaitsNoLongerThanThat() {
        var machine = ClientMachineTests.open()
        _ = machine.send(type: "x", fields: Array("{}".utf8), token: 1, deadline: .max, now: 0)
        var now = 0
        for _ in 0..<12 {
            _ = machine.received(Array(#"{"re":"t-1","ok":false,"error":{"code":"rate_limited"}}"#.utf8), now: now)
            let due = machine.nextTick ?? 0
            #expect(due - now <= 2_000)
            now = due
            _ = machine.tick(now: now)
        }
    }
}
