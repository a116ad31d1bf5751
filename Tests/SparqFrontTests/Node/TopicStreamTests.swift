import NIOCore
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct TopicStreamTests {
    private func frame(_ seq: Int) -> ByteBuffer { ByteBuffer(integer: seq) }
    private func seqs(_ out: [FrameStream.Release]) -> [Int] {
        out.map { release in
            switch release {
            case .event(let seq, let frame):
                #expect(frame.getInteger(at: 0, as: Int.self) == seq)
                return seq
            case .truncated(_, let first): return -first
            case .restarted: return .min
            }
        }
    }

    @Test func orderDuplicatesAndHolding() {
        var stream = FrameStream(position: 4, ring: RingLimits())
        var out: [FrameStream.Release] = []
        for seq in [5, 5, 8, 7, 8, 3, 6, 9] { stream.event(seq, frame(seq), now: 0, hold: HoldLimits(events: 10), into: &out) }
        #expect(seqs(out) == [5, 6, 7, 8, 9])
        #expect(stream.heldCount == 0)
        #expect(stream.since(7).count == 2 && stream.covers(4) && !stream.covers(3))
    }

    @Test func asksForAGapAfterItsPatience() {
        var stream = FrameStream(position: 0, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 0, first: 1, head: 0, version: 1, frames: [], now: 0, into: &out)
        #expect(!stream.needsTick && !stream.isSyncing)
        stream.event(2, frame(2), now: 100, hold: HoldLimits(events: 10), into: &out)
        stream.tick(now: 349, patience: 250)
        #expect(!stream.wantsSync)
        stream.tick(now: 350, patience: 250)
        #expect(stream.wantsSync)
        stream.asked(version: 2)
        // It is asked again.
        stream.asked(version: 3)
        // The answer to the first question is as good.
        stream.page(after: 0, first: 1, head: 2, version: 2, frames: [frame(1), frame(2)], now: 6400, into: &out)
        #expect(seqs(out) == [1, 2])
        #expect(!stream.needsTick && !stream.isSyncing)
    }

    @Test func anOlderPageDoesNotAnswer() {
        var stream = FrameStream(position: 3, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 7)
        stream.page(after: 2, first: 3, head: 3, version: 6, frames: [frame(3)], now: 0, into: &out)
        #expect(stream.isSyncing)
        stream.page(after: 3, first: 4, head: 5, version: 7, frames: [frame(4), frame(5)], now: 0, into: &out)
        #expect(!stream.isSyncing && seqs(out) == [4, 5])
    }

    @Test func aPageThatEndsBelowTheHeadIsFollowedByTheNext() {
        var stream = FrameStream(position: 0, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 0, first: 1, head: 4, version: 1, frames: [frame(1), frame(2)], now: 0, into: &out)
        #expect(stream.wantsSync && stream.position == 2)
        stream.asked(version: 2)
        stream.page(after: 2, first: 3, head: 4, version: 2, frames: [frame(3), frame(4)], now: 0, into: &out)
        #expect(!stream.needsTick && !stream.isSyncing && seqs(out) == [1, 2, 3, 4])
    }

    @Test func whatTheLogHasLostIsSaid() {
        var stream = FrameStream(position: 2, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.event(10, frame(10), now: 0, hold: HoldLimits(events: 10), into: &out)
        stream.event(4, frame(4), now: 0, hold: HoldLimits(events: 10), into: &out)
        stream.page(after: 2, first: 8, head: 9, version: 1, frames: [frame(8), frame(9)], now: 0, into: &out)
        #expect(seqs(out) == [-8, 8, 9, 10])
        #expect(out.first == .truncated(after: 2, first: 8))
        #expect(!stream.covers(6) && stream.covers(7))
    }

    @Test func anOlderDatabaseStartsAnew() {
        var stream = FrameStream(position: 50, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 50, first: 51, head: 20, version: 1, frames: [], now: 0, into: &out)
        stream.event(21, frame(21), now: 0, hold: HoldLimits(events: 10), into: &out)
        // Subscribers must be sent away before they are given new events under old numbers.
        #expect(seqs(out) == [.min, 21])
    }

    @Test func holdIsBounded() {
        var stream = FrameStream(position: 0, ring: RingLimits(events: 3, bytes: 1000))
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 0, first: 1, head: 0, version: 1, frames: [], now: 0, into: &out)
        for seq in 2...6 { stream.event(seq, frame(seq), now: 0, hold: HoldLimits(events: 4), into: &out) }
        #expect(stream.heldCount == 4 && stream.wantsSync)
        stream.asked(version: 2)
        stream.page(after: 0, first: 1, head: 6, version: 2, frames: (1...6).map(frame), now: 0, into: &out)
        #expect(seqs(out) == Array(1...6))
        #expect(stream.heldCount == 0 && stream.ring.count == 3)
    }

    @Test func whatIsHeldIsBoundedByBytesToo() {
        var stream = FrameStream(position: 0, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 0, first: 1, head: 0, version: 1, frames: [], now: 0, into: &out)
        // Eight bytes each; what comes twice counts once.
        let limits = HoldLimits(events: 1000, bytes: 30)
        for seq in [2, 3, 3, 4] { stream.event(seq, frame(seq), now: 0, hold: limits, into: &out) }
        #expect(stream.heldCount == 3 && !stream.wantsSync)
        stream.event(5, frame(5), now: 0, hold: limits, into: &out)
        #expect(stream.heldCount == 3 && stream.wantsSync)
        stream.asked(version: 2)
        // What was released or came by the page makes room again.
        stream.event(1, frame(1), now: 0, hold: limits, into: &out)
        stream.page(after: 0, first: 1, head: 5, version: 2, frames: (1...5).map(frame), now: 0, into: &out)
        #expect(seqs(out) == Array(1...5) && stream.heldCount == 0)
        for seq in 7...9 { stream.event(seq, frame(seq), now: 0, hold: limits, into: &out) }
        #expect(stream.heldCount == 3)
    }

    @Test func aLossAtTheEndIsNoticed() {
        var stream = FrameStream(position: 5, ring: RingLimits())
        var out: [FrameStream.Release] = []
        stream.asked(version: 1)
        stream.page(after: 5, first: 6, head: 5, version: 1, frames: [], now: 0, into: &out)
        stream.notice(head: 7, now: 10)
        #expect(stream.needsTick)
        stream.tick(now: 260, patience: 250)
        #expect(stream.wantsSync)
    }

    /// Events that are lost, repeated and reordered, pages that answer late, twice or never: all is released, once, in order.
    @Test(arguments: 0..<80)
    func randomLives(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let start = Int.random(in: 0...5, using: &generator)
        var head = start
        var stream = FrameStream(position: start, ring: RingLimits(events: Int.random(in: 1...20, using: &generator), bytes: 1 << 20))
        var out: [FrameStream.Release] = []
        var events: [Int] = []
        var questions: [(version: Int, after: Int)] = []
        var version = 0
        var now = 0
        func step(_ generator: inout SeededGenerator, isLossy: Bool) {
            now += Int.random(in: 0...60, using: &generator)
            switch Int.random(in: 0..<10, using: &generator) {
            case 0..<3 where isLossy:
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    head += 1
                    if generator.chance(85) { events.append(head) }
                    if generator.chance(10) { events.append(head) }
                }
            case 3..<7:
                guard !events.isEmpty else { return }
                let seq = events.remove(at: Int.random(in: 0..<min(6, events.count), using: &generator))
                stream.event(seq, frame(seq), now: now, hold: HoldLimits(events: 8), into: &out)
            case 7..<9:
                guard !questions.isEmpty else { return }
                let index = Int.random(in: 0..<questions.count, using: &generator)
                let question = questions[index]
                if generator.chance(80) { questions.remove(at: index) }
                if isLossy, generator.chance(20) { return }
                let last = min(head, question.after + Int.random(in: 1...5, using: &generator))
                let frames = question.after < last ? ((question.after + 1)...last).map(frame) : []
                stream.page(
                    after: question.after,
                    first: question.after + 1,
                    head: head,
                    version: question.version,
                    frames: frames,
                    now: now,
                    into: &out
                )
            default: stream.tick(now: now, patience: 250)
            }
            if stream.wantsSync {
                version += 1
                questions.append((version, stream.position))
                stream.asked(version: version)
            } else if stream.isSyncing, questions.isEmpty {
                // The pacer asks again.
                version += 1
                questions.append((version, stream.position))
            }
            if isLossy, generator.chance(1) { stream.resync() }
        }
        for _ in 0..<1500 { step(&generator, isLossy: true) }
        stream.resync()
        for _ in 0..<6000 where stream.position < head || stream.needsTick || stream.isSyncing { step(&generator, isLossy: false) }
        #expect(seqs(out) == Array((start + 1)..<(head + 1)))
        #expect(stream.position == head)
    }
}
