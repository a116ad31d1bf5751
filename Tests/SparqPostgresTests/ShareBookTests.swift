import Testing

@testable import SparqPostgres

@Suite struct ShareBookTests {
    private typealias Asker = ShareBook.Asker

    private let start = ContinuousClock.now

    private func read(_ name: String) -> Asker { Asker(name: name, isTransaction: false) }
    private func transaction(_ name: String) -> Asker { Asker(name: name, isTransaction: true) }

    @Test func theLastConnectionIsForReadsAndForTransactionsOfWhoHasNone() {
        var book = ShareBook()
        for _ in 1...3 { #expect(book.take(transaction("create"), of: 4, now: start) != nil) }
        #expect(book.take(transaction("create"), of: 4, now: start) == nil)
        #expect(book.take(read("create"), of: 4, now: start)?.isLast == true)
        #expect(book.take(transaction("join"), of: 4, now: start) == nil)
    }

    @Test func whatIsLentIsTakenBackWhereOthersWait() throws {
        var book = ShareBook()
        let held = (1...4).compactMap { _ in book.take(read("list"), of: 4, now: start) }
        #expect(held.count == 4 && held.map(\.isLent) == [false, true, true, true])
        let late = start + ShareBook.lending
        // More of the same do not count.
        book.wait(book.nextID(), read("list"))
        #expect(book.takeBack(now: late).isEmpty)
        let other = book.nextID()
        book.wait(other, transaction("join"))
        #expect(book.takeBack(now: late - .milliseconds(1)).isEmpty)
        #expect(Set(book.takeBack(now: late).map(\.id)) == Set(held.dropFirst().map(\.id)))
        // From now on it has one, for a while.
        #expect(book.serve(of: 4, now: late).map(\.id) == [other])
        #expect(book.serve(of: 4, now: late + .milliseconds(999)).isEmpty)
        #expect(book.serve(of: 4, now: late + .seconds(1)).map(\.asker) == [read("list")])
    }

    /// A commit is under way: whoever waits waits for its end.
    @Test func whatIsKeptIsNotTakenBack() {
        var book = ShareBook()
        let held = (1...3).compactMap { _ in book.take(read("list"), of: 3, now: start) }
        #expect(held.map(\.isLent) == [false, true, true])
        book.wait(book.nextID(), read("other"))
        let isKept = book.keep(held[1].id)
        #expect(isKept)
        let late = start + ShareBook.lending
        #expect(book.takeBack(now: late).map(\.id) == [held[2].id])
        let isLate = !book.keep(held[2].id)
        #expect(isLate)
        #expect(book.takeBack(now: late + .seconds(60)).isEmpty)
    }

    /// Each type that waits for the lock has one connection, but for the last: that one goes round.
    @Test func ofManyThatAreBlockedTheLastIsTakenBackFromEach() {
        var book = ShareBook()
        let names = ["a", "b", "c", "d", "e"]
        for name in names.prefix(4) { #expect(book.take(read(name), of: 4, now: start) != nil) }
        book.wait(book.nextID(), read("e"))
        book.wait(book.nextID(), read("quick"))
        var now = start + ShareBook.lending
        #expect(book.takeBack(now: now).map(\.asker.name) == ["d"])
        #expect(book.serve(of: 4, now: now).map(\.asker.name) == ["e"])
        now += ShareBook.lending
        #expect(book.takeBack(now: now).map(\.asker.name) == ["e"])
        #expect(book.serve(of: 4, now: now).map(\.asker.name) == ["quick"])
        #expect(book.waiting == 0)
    }

    @Test func whoHoldsLeastComesFirst() {
        var book = ShareBook()
        let first = (1...3).compactMap { _ in book.take(transaction("flood"), of: 4, now: start) }
        #expect(first.count == 3)
        for _ in 1...9 { book.wait(book.nextID(), transaction("flood")) }
        book.giveBack(first[0].id, now: start)
        book.wait(book.nextID(), transaction("other"))
        #expect(book.serve(of: 4, now: start).map(\.asker.name) == ["other"])
        book.giveBack(first[1].id, now: start)
        #expect(book.serve(of: 4, now: start).map(\.asker.name) == ["flood"])
    }

    @Test func whoeverIsQuickAgainIsAsBefore() throws {
        var book = ShareBook()
        for _ in 1...4 { _ = book.take(read("list"), of: 4, now: start) }
        book.wait(book.nextID(), read("other"))
        let late = start + ShareBook.lending
        #expect(book.takeBack(now: late).count == 3)
        #expect(book.take(read("list"), of: 4, now: late) == nil)
        book.giveBack(try #require(book.grants.first).id, now: late)
        let next = book.take(read("list"), of: 4, now: late)
        let again = try #require(next)
        #expect(book.take(read("list"), of: 4, now: late) == nil)
        book.giveBack(again.id, now: late + .milliseconds(3))
        #expect(book.take(read("list"), of: 4, now: late + .milliseconds(3)) != nil)
        #expect(book.take(read("list"), of: 4, now: late + .milliseconds(3)) != nil)
    }

    @Test(arguments: 0..<100) func nothingIsLostOrGivenTwice(seed: Int) {
        var random = PoolStateMachineTests.Seeded(state: UInt64(seed))
        var book = ShareBook()
        let askers = ["a", "b", "c", "d"].flatMap { [read($0), transaction($0)] }
        var waiting: [Int: Asker] = [:]
        var held: Set<Int> = []
        var now = start
        func check(_ granted: [ShareBook.Grant]) {
            for grant in granted { #expect(held.insert(grant.id).inserted) }
        }
        let capacity = Int.random(in: 2...6, using: &random)
        for _ in 0..<400 {
            now += .milliseconds(Int.random(in: 0...60, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1:
                let asker = askers.randomElement(using: &random) ?? read("a")
                if let grant = book.take(asker, of: capacity, now: now) {
                    check([grant])
                } else {
                    let id = book.nextID()
                    book.wait(id, asker)
                    waiting[id] = asker
                }
            case 2:
                guard let (id, asker) = waiting.randomElement(using: &random) else { continue }
                #expect(book.abandon(id, asker) && !book.abandon(id, asker))
                waiting[id] = nil
            case 3, 4:
                guard let id = held.randomElement(using: &random) else { continue }
                held.remove(id)
                book.giveBack(id, now: now)
                book.giveBack(id, now: now)
            default: for grant in book.takeBack(now: now) { #expect(held.remove(grant.id) != nil && grant.isLent) }
            }
            let served = book.serve(of: capacity, now: now)
            for grant in served { #expect(waiting.removeValue(forKey: grant.id) == grant.asker) }
            check(served)
            #expect(held.count <= capacity && Set(book.grants.map(\.id)) == held)
            #expect(book.waiting == waiting.count && book.waitingTransactions == waiting.values.count(where: \.isTransaction))
            #expect(waiting.isEmpty || !held.isEmpty, "somebody waits for nobody")
        }
        // All come to their turn.
        for _ in 0..<2000 where !waiting.isEmpty || !held.isEmpty {
            now += .milliseconds(100)
            for id in held { book.giveBack(id, now: now) }
            held = []
            for grant in book.serve(of: capacity, now: now) {
                waiting[grant.id] = nil
                held.insert(grant.id)
            }
        }
        #expect(waiting.isEmpty && held.isEmpty && book.grants.isEmpty)
    }
}
