import Testing

@testable import SparqAMQP

@Suite struct AckLedgerTests {
    @Test func acksWithoutAGapBecomeOneFrame() {
        var ledger = AckLedger()
        for tag in 1...5 { ledger.delivered(UInt64(tag)) }
        var frames: [AckLedger.Settlement] = []
        for tag in [3, 1, 2, 5] as [UInt64] { ledger.settle(.init(kind: .ack, tag: tag, multiple: false), into: &frames) }
        #expect(frames.isEmpty)
        ledger.flush(into: &frames)
        #expect(frames == [.init(kind: .ack, tag: 3, multiple: true), .init(kind: .ack, tag: 5, multiple: false)])
        #expect(ledger.outstandingCount == 1)
    }

    @Test func aTagIsNeverSettledTwice() {
        var ledger = AckLedger()
        ledger.delivered(1)
        ledger.delivered(2)
        var frames: [AckLedger.Settlement] = []
        ledger.settle(.init(kind: .reject(requeue: false), tag: 1, multiple: false), into: &frames)
        ledger.settle(.init(kind: .ack, tag: 1, multiple: false), into: &frames)
        ledger.settle(.init(kind: .ack, tag: 0, multiple: true), into: &frames)
        ledger.settle(.init(kind: .ack, tag: 9, multiple: true), into: &frames)
        ledger.flush(into: &frames)
        #expect(frames == [.init(kind: .reject(requeue: false), tag: 1, multiple: false)])
    }

    /// A broker that keeps its own books, and would close the channel on a tag that it does not know.
    @Test(arguments: 0..<UInt64(300))
    func theBrokersBooksAgree(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var ledger = AckLedger()
        var delivered: UInt64 = 0
        var atBroker: [UInt64: String] = [:]  // unsettled, as the broker sees it
        var wanted: [UInt64: String] = [:]  // what each tag should end as, by the first word about it
        var got: [UInt64: String] = [:]
        func name(_ kind: AckLedger.Kind) -> String { "\(kind)" }
        for _ in 0..<400 {
            switch Int.random(in: 0..<10, using: &random) {
            case ..<4:
                delivered += 1
                ledger.delivered(delivered)
                atBroker[delivered] = ""
            case ..<8:
                guard delivered > 0 else { continue }
                let kinds: [AckLedger.Kind] = [.ack, .ack, .ack, .nack(requeue: true), .reject(requeue: false)]
                let kind = kinds.randomElement(using: &random) ?? .ack
                let tag = UInt64.random(in: 1...delivered + 1, using: &random)
                var multiple = Int.random(in: 0..<4, using: &random) == 0
                if case .reject = kind { multiple = false }
                if tag <= delivered {
                    for one in (multiple ? 1 : tag)...tag where wanted[one] == nil { wanted[one] = name(kind) }
                }
                var frames: [AckLedger.Settlement] = []
                ledger.settle(.init(kind: kind, tag: tag, multiple: multiple), into: &frames)
                try apply(frames)
            default:
                var frames: [AckLedger.Settlement] = []
                ledger.flush(into: &frames)
                try apply(frames)
            }
            #expect(ledger.outstandingCount == Int(delivered) - wanted.count)
        }
        var frames: [AckLedger.Settlement] = []
        ledger.flush(into: &frames)
        try apply(frames)
        #expect(got == wanted)
        #expect(atBroker.count == ledger.outstandingCount)

        func apply(_ frames: [AckLedger.Settlement]) throws {
            for frame in frames {
                try #require(atBroker[frame.tag] != nil, "unknown delivery tag \(frame.tag)")
                for tag in atBroker.keys where tag == frame.tag || (frame.multiple && tag < frame.tag) {
                    atBroker[tag] = nil
                    got[tag] = name(frame.kind)
                }
            }
        }
    }
}
