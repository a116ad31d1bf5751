import Testing

@testable import SparqAMQP

@Suite struct ConfirmWindowTests {
    @Test func holdsBackWhatIsBeyondTheWindow() {
        var window = ConfirmWindow<Int>(limit: 2)
        for index in 0..<3 { _ = window.submit(index) }
        #expect(window.next()?.payload == 0)
        #expect(window.next()?.payload == 1)
        #expect(window.next() == nil)
        var settled: [ConfirmWindow<Int>.Entry] = []
        window.settle(tag: 2, multiple: false, into: &settled)
        #expect(settled.map(\.payload) == [1])
        #expect(window.next()?.payload == 2)
        window.settle(tag: 3, multiple: true, into: &settled)
        #expect(settled.map(\.payload) == [1, 0, 2])
        #expect(window.isEmpty)
    }

    @Test func aReturnBelongsToItsPublish() {
        var window = ConfirmWindow<Int>(limit: 8)
        let ids = (0..<3).map { window.submit($0) }
        while window.next() != nil {}
        window.returned(id: ids[1], .returned(replyCode: 312, text: "NO_ROUTE"))
        var settled: [ConfirmWindow<Int>.Entry] = []
        window.settle(tag: 3, multiple: true, into: &settled)
        #expect(settled.map(\.outcome) == [.confirmed, .returned(replyCode: 312, text: "NO_ROUTE"), .confirmed])
    }

    @Test func confirmsOfNothingAreIgnored() {
        var window = ConfirmWindow<Int>(limit: 8)
        _ = window.submit(0)
        _ = window.next()
        var settled: [ConfirmWindow<Int>.Entry] = []
        window.settle(tag: 0, multiple: true, into: &settled)
        window.settle(tag: 2, multiple: true, into: &settled)
        #expect(settled.isEmpty)
        window.settle(tag: 1, multiple: false, into: &settled)
        window.settle(tag: 1, multiple: false, into: &settled)
        #expect(settled.count == 1)
    }

    @Test func anAbandonedOneIsNotPublishedAgain() {
        var window = ConfirmWindow<Int>(limit: 8)
        let ids = (0..<3).map { window.submit($0) }
        _ = window.next()
        _ = window.next()
        #expect(window.abandon(id: ids[0])?.payload == 0)
        #expect(window.abandon(id: ids[0]) == nil)
        #expect(window.abandon(id: ids[2])?.payload == 2)
        window.lost()
        #expect(window.next()?.payload == 1)
        #expect(window.next() == nil)
    }

    @Test func whatIsThereAgainIsNoReasonToRefuseAnybody() {
        var window = ConfirmWindow<Int>(limit: 8)
        for index in 0..<3 { _ = window.submit(index) }
        while window.next() != nil {}
        #expect(window.refused { _ in true } == nil)
        // And nobody is suspected: they go together, in order.
        #expect((0..<3).map { _ in window.next()?.payload } == [0, 1, 2])
        window.lost()
        var settled: [ConfirmWindow<Int>.Entry] = []
        _ = window.next()
        window.settle(tag: 1, multiple: false, into: &settled)
        _ = window.next()
        // Alone, too.
        #expect(window.refused { _ in true } == nil)
        #expect(window.next()?.payload == 1)
    }

    @Test func oneThatNothingExcusesIsFoundAmongOthers() throws {
        var window = ConfirmWindow<Int>(limit: 8)
        for index in 0..<3 { _ = window.submit(index) }
        var settled: [ConfirmWindow<Int>.Entry] = []
        var culprits: [Int] = []
        // The broker stops at 1; what went before has arrived.
        for _ in 0..<10 {
            var tag: UInt64 = 0
            while let entry = window.next() {
                tag += 1
                if entry.payload == 1 {
                    if let culprit = window.refused(excusing: { $0 != 1 }) { culprits.append(culprit.payload) }
                    tag = 0
                } else {
                    window.settle(tag: tag, multiple: false, into: &settled)
                }
            }
        }
        #expect(culprits == [1] && settled.map(\.payload) == [0, 2] && window.isEmpty)
    }

    /// A broker that confirms, loses connections and refuses poison, in an order that the seed gives.
    @Test(arguments: 0..<UInt64(300))
    func everyPublishIsSettledOnceWhateverHappens(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let limit = Int.random(in: 1...12, using: &random)
        let total = 120
        let poison = Set((0..<Int.random(in: 0...4, using: &random)).map { _ in Int.random(in: 0..<total, using: &random) })
        var window = ConfirmWindow<Int>(limit: limit)
        var ids: [Int: UInt64] = [:]
        var submitted = 0
        var written: [Int] = []  // in this epoch, by tag
        var isDone: [Bool] = []  // whether the broker has confirmed the tag
        var fate: [Int: String] = [:]
        var refusals = 0

        func settle(_ payload: Int, _ result: String) throws {
            try #require(fate[payload] == nil, "settled twice: \(payload)")
            fate[payload] = result
        }
        func newEpoch() {
            written = []
            isDone = []
        }
        /// The broker handles publishes in order and stops at the first poison.
        var poisonAt: Int? { written.firstIndex { poison.contains($0) } }

        var steps = 0
        while fate.count < total {
            steps += 1
            try #require(steps < 100_000, "no progress")
            switch Int.random(in: 0..<100, using: &random) {
            case ..<35:
                guard submitted < total else { continue }
                ids[submitted] = window.submit(submitted)
                submitted += 1
            case ..<60:
                guard let entry = window.next() else { continue }
                if let last = written.last { try #require(entry.payload > last, "out of order") }
                written.append(entry.payload)
                isDone.append(false)
                try #require(window.unconfirmedCount <= limit)
            case ..<88:
                let open = isDone.indices.filter { !isDone[$0] && $0 < (poisonAt ?? .max) }
                guard let index = open.randomElement(using: &random) else { continue }
                let multiple = Bool.random(using: &random)
                for done in (multiple ? 0 : index)...index { isDone[done] = true }
                var settled: [ConfirmWindow<Int>.Entry] = []
                window.settle(tag: UInt64(index + 1), multiple: multiple, into: &settled)
                for entry in settled { try settle(entry.payload, "confirmed") }
            case ..<94:
                guard poisonAt != nil else { continue }
                refusals += 1
                if let culprit = window.refused() {
                    try #require(poison.contains(culprit.payload), "an innocent was refused")
                    try settle(culprit.payload, "refused")
                }
                newEpoch()
            case ..<96:
                window.lost()
                newEpoch()
            default:
                guard let payload = (0..<submitted).randomElement(using: &random), fate[payload] == nil, let id = ids[payload] else {
                    continue
                }
                if Int.random(in: 0..<4, using: &random) == 0, window.abandon(id: id) != nil { try settle(payload, "abandoned") }
            }
        }
        for payload in poison { #expect(fate[payload] != "confirmed") }
        // Each poison is found out after one refusal of the crowd and one alone; abandoned ones cost one more at most.
        #expect(refusals <= poison.count * 2 + fate.values.count { $0 == "abandoned" })
    }
}
