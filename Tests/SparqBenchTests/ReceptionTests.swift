import Testing

@testable import SparqBench

/// The bench finds what is wrong with what it hears, and hides no latency.
struct ReceptionTests {
    private static func reception(measured: Range<Int> = 0..<1_000_000_000_000) -> Reception {
        let lane = Lane(sender: 0, template: MessageTemplate("{\"id\":\"#########\"}"), audience: 2)
        let sender = Listener(lane: 0, replyPrefix: Array("{\"re\":\"t-".utf8), eventPrefix: [], nextReply: 0, nextEvent: -1)
        let other = Listener(lane: 0, replyPrefix: [], eventPrefix: Array("{\"seq\":".utf8), nextReply: -1, nextEvent: 0)
        return Reception(lanes: [lane], listeners: [sender, other], countsDeliveries: false, measured: measured)
    }

    private func hear(_ text: String, at socket: Int, _ reception: inout Reception, now: Int = 0) {
        _ = Array(text.utf8).withUnsafeBytes { reception.receive($0, at: socket, now: now) }
    }

    private func reply(_ number: Int) -> String { "{\"re\":\"t-\(number)\",\"ok\":true,\"data\":{}}" }
    private func event(_ number: Int, seq: Int) -> String { "{\"seq\":\(seq),\"data\":{\"text\":\"n\(number)xxx\"}}" }

    /// Three messages, of which the listener hears these.
    private func faults(_ events: [(number: Int, seq: Int)]) -> BenchResult.Faults {
        var reception = Self.reception()
        for number in 0..<3 {
            _ = reception.send(0, due: 0)
            hear(reply(number), at: 0, &reception)
        }
        for event in events { hear(self.event(event.number, seq: event.seq), at: 1, &reception) }
        reception.end(closed: [])
        return reception.faults
    }

    @Test func whatComesOnceAndInOrderIsRight() {
        #expect(faults([(0, 7), (1, 8), (2, 9)]).isEmpty)
    }

    @Test func anAnswerToWhatIsSaidBesideIsNoFault() {
        var reception = Self.reception()
        hear("{\"re\":\"other-1\",\"ok\":false,\"error\":{\"code\":\"unavailable\"}}", at: 0, &reception)
        #expect(reception.faults.isEmpty)
    }

    @Test func aLostFrameIsCounted() {
        #expect(faults([(0, 7), (1, 8)]).lost == 1)
        // In the middle it shows at once, too.
        let middle = faults([(0, 7), (2, 9)])
        #expect(middle.lost == 2 && middle.misordered == 1)
    }

    @Test func aDoubledFrameIsCounted() {
        let doubled = faults([(0, 7), (1, 8), (1, 8), (2, 9)])
        #expect(doubled.repeated == 1 && doubled.lost == 0)
        // Under a number of its own it is no less a second effect.
        #expect(faults([(0, 7), (1, 8), (1, 9), (2, 10)]).repeated == 1)
    }

    @Test func aSwappedFrameIsCounted() {
        let swapped = faults([(1, 8), (0, 7), (2, 9)])
        #expect(swapped.misordered > 0 && !swapped.isEmpty)
    }

    @Test func aDoubledOrRefusedReplyIsCounted() {
        var reception = Self.reception()
        _ = reception.send(0, due: 0)
        hear(reply(0), at: 0, &reception)
        hear(reply(0), at: 0, &reception)
        #expect(reception.faults.repeated == 1)
        _ = reception.send(0, due: 0)
        hear("{\"re\":\"t-1\",\"ok\":false,\"error\":{\"code\":\"unavailable\"}}", at: 0, &reception)
        #expect(reception.faults.refused == 1)
        reception.end(closed: ["code 1011"])
        #expect(reception.faults.closed == 1)
    }

    /// A message each millisecond for a second; the server says nothing from the middle of it on, and answers all half a second after the end.
    @Test func aStallShowsInOpenLoopLatencies() {
        let millisecond = 1_000_000
        let measured = 100 * millisecond..<1_100 * millisecond
        var reception = Self.reception(measured: measured)
        var schedule = Schedule(.rate(1_000), from: 0)
        var waiting: [Int] = []
        for now in stride(from: 0, through: 1_100 * millisecond, by: millisecond) {
            while let due = schedule.next(min(now, measured.upperBound - 1)) {
                _ = reception.send(0, due: due)
                waiting.append(waiting.count)
            }
            guard now < 600 * millisecond else { continue }
            answer(&waiting, &reception, now: now)
        }
        let inTime = reception.count
        answer(&waiting, &reception, now: 1_600 * millisecond)
        #expect(waiting.count == 1_100 && !reception.isOpen && reception.faults.isEmpty)
        // None of the warm-up, all of the measured second: half of it waited between 500 and 1,000 ms.
        #expect(reception.latencies.count == 1_000)
        #expect(inTime == 500 && reception.count == inTime)
        let summary = reception.latencies.summary
        #expect((summary?.max ?? 0) > 990_000 && (summary?.p90 ?? 0) > 890_000 && (summary?.p50 ?? .infinity) < 510_000)
    }

    /// Of the numbers in `waiting` those that have no answer yet get it.
    private func answer(_ waiting: inout [Int], _ reception: inout Reception, now: Int) {
        for number in waiting where number >= reception.lanes[0].first {
            hear(reply(number), at: 0, &reception, now: now)
            hear(event(number, seq: number + 1), at: 1, &reception, now: now)
        }
    }

    @Test func aRunThatHeardNothingIsNotSound() {
        var result = BenchResult("fanout-bare", [:])
        #expect(!result.isSound)
        result.count = 1
        #expect(result.isSound)
        result.faults.lost = 1
        #expect(!result.isSound)
    }
}
