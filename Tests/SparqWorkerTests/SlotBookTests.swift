import Testing

@testable import SparqWorker

@Suite struct SlotBookTests {
    private final class Batch: Sendable {}

    private let batches = (0..<100).map { _ in Batch() }

    private func id(_ number: Int) -> ObjectIdentifier { ObjectIdentifier(batches[number]) }

    private func look(_ book: inout SlotBook, _ slow: Set<String>, _ numbers: Range<Int>) -> [[Int]] {
        let (begin, turnedAway) = book.look(slow: slow, Set(numbers.map(id)))
        return [begin, turnedAway]
    }

    @Test func oneTypeHasHalfAndTwoHaveAThirdEach() {
        var book = SlotBook(slots: 64)
        for number in 0..<50 { _ = book.enter("a", id(number)) }
        #expect(book.held(by: "a") == 32)
        var two = SlotBook(slots: 64)
        for number in 0..<50 {
            _ = two.enter("a", id(number))
            _ = two.enter("b", id(50 + number))
        }
        #expect((21...22).contains(two.held(by: "a")) && (21...22).contains(two.held(by: "b")))
        #expect(two.enter("c", id(49)) == .enters)
    }

    @Test func whatIsInABatchThatItHoldsTakesNoSlot() {
        var book = SlotBook(slots: 2)
        for _ in 1...100 { #expect(book.enter("a", id(0)) == .enters) }
        #expect(book.enter("a", id(1)) == .waits)
        for _ in 1...99 { #expect(book.leave("a", id(0)) == []) }
        #expect(book.enter("a", id(1), id: 7) == .waits)
        #expect(book.leave("a", id(0)) == [7])
    }

    @Test func whereATypeIsSlowAnEighthOfTheSlotsIsLeftToOthers() {
        var book = SlotBook(slots: 8)
        for number in 0..<4 { #expect(book.enter("a", id(number)) == .enters) }
        for number in 4..<8 { #expect(book.enter("a", id(number), id: number) == .waits) }
        #expect(look(&book, [], 0..<0) == [[], []])
        #expect(look(&book, ["a"], 0..<4) == [[], [7]])
        #expect(book.enter("a", id(8)) == .turnedAway)
        // One more of a batch that waits.
        #expect(book.enter("a", id(5), id: 55) == .waits)
        #expect(book.enter("b", id(8)) == .enters)
        #expect(book.leave("b", id(8)) == [])
        #expect(book.leave("a", id(0)) == [4])
        #expect(book.leave("a", id(1)) == [5])
    }

    /// The connection broke while handlers stood still: what they had is delivered again, and finds their slots.
    @Test func whatIsLostHoldsNoSlotAndDoesNotWait() {
        var book = SlotBook(slots: 8)
        for number in 0..<4 { #expect(book.enter("a", id(number)) == .enters) }
        for number in 4..<7 { #expect(book.enter("a", id(number), id: number) == .waits) }
        _ = look(&book, ["a"], 0..<4)
        let (none, lost) = book.lose(id(5))
        #expect(none == [] && lost == [5])
        for number in [0, 1] { _ = book.lose(id(number)) }
        #expect(book.held(by: "a") == 4, "those that waited have begun")
        for number in [2, 3, 4, 6] { _ = book.lose(id(number)) }
        #expect(book.held(by: "a") == 0)
        #expect(book.leave("a", id(0)) == [])
        for number in 10..<14 { #expect(book.enter("a", id(number)) == .enters) }
        for number in 14..<17 { #expect(book.enter("a", id(number), id: number) == .waits) }
    }

    /// A lock that holds up several types.
    @Test func slowTypesTogetherHaveHalf() {
        var book = SlotBook(slots: 64)
        let types = ["a", "b", "c", "d"]
        for (number, type) in types.enumerated() {
            for place in 0..<8 { #expect(book.enter(type, id(number * 8 + place)) == .enters) }
        }
        _ = look(&book, Set(types), 0..<32)
        for type in types { #expect(book.enter(type, id(40)) == .waits) }
        for place in 0..<16 { #expect(book.enter("quick", id(50 + place)) == .enters) }
        for place in 0..<8 { #expect(book.enter("fast", id(70 + place)) == .enters) }
        for type in types { #expect(book.enter(type, id(40)) == .turnedAway) }
    }

    /// As when the database comes back.
    @Test func whoeverStoodStillAndGetsOnAgainIsSparedForAMoment() {
        var book = SlotBook(slots: 8)
        for number in 0..<4 { #expect(book.enter("a", id(number)) == .enters) }
        for number in 4..<7 { #expect(book.enter("a", id(number), id: number) == .waits) }
        for _ in 0..<5 { #expect(look(&book, ["a"], 0..<4) == [[], []]) }
        #expect(book.enter("a", id(7)) == .turnedAway)
        #expect(book.leave("a", id(0)) == [4])
        #expect(book.enter("a", id(7)) == .waits)
        for _ in 0..<5 {
            #expect(look(&book, ["a"], 1..<4) == [[], []])
            #expect(book.enter("a", id(7)) == .waits)
        }
        #expect(look(&book, ["a"], 1..<4) == [[], []])
        #expect(book.enter("a", id(8), id: 8) == .waits)
        #expect(book.enter("a", id(9)) == .turnedAway)
    }

    @Test(arguments: 0..<100) func everybodyIsToldOnce(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let slots = Int.random(in: 1...8, using: &random)
        var book = SlotBook(slots: slots)
        var inside: [(type: String, batch: Int)] = []
        var waiting: [Int: (type: String, batch: Int)] = [:]
        var lastID = 0
        func begin(_ ids: [Int]) {
            for id in ids {
                let one = waiting.removeValue(forKey: id)
                #expect(one != nil)
                if let one { inside.append(one) }
            }
        }
        for _ in 0..<500 {
            switch Int.random(in: 0..<5, using: &random) {
            case 0...2:
                let type = ["a", "b", "c"].randomElement(using: &random) ?? "a"
                let batch = Int.random(in: 0..<20, using: &random)
                lastID += 1
                switch book.enter(type, id(batch), id: lastID) {
                case .enters: inside.append((type, batch))
                case .waits: waiting[lastID] = (type, batch)
                case .turnedAway: break
                }
            case 3:
                guard !inside.isEmpty else { continue }
                let one = inside.remove(at: Int.random(in: inside.indices, using: &random))
                begin(book.leave(one.type, id(one.batch)))
            default:
                let slow = Set(["a", "b", "c"].filter { _ in Int.random(in: 0..<4, using: &random) == 0 })
                let some = inside.filter { slow.contains($0.type) }.map { id($0.batch) }
                let (begun, turnedAway) = book.look(slow: slow, Set(some))
                begin(begun)
                for id in turnedAway { #expect(waiting.removeValue(forKey: id).map { slow.contains($0.type) } == true) }
            }
            for type in ["a", "b", "c"] {
                #expect(book.held(by: type) == Set(inside.filter { $0.type == type }.map(\.batch)).count)
                #expect(book.held(by: type) <= (slots + 1) / 2)
            }
            #expect(waiting.isEmpty || !inside.isEmpty, "somebody waits for nobody")
        }
        while let one = inside.popLast() { begin(book.leave(one.type, id(one.batch))) }
        begin(book.look(slow: [], []).begin)
        while let one = inside.popLast() { begin(book.leave(one.type, id(one.batch))) }
        #expect(waiting.isEmpty)
    }
}
