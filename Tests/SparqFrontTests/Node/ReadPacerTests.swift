import SparqWire
import Testing

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct ReadPacerTests {
    private let ids = (0..<1000).map { ReadPacer.Key(connection: ConnectionID(kind: .socket, shard: 0, number: UInt64($0)), topic: "a") }

    private func all(_ pacer: inout ReadPacer, now: Int = 0) -> [ReadPacer.Key] {
        var keys: [ReadPacer.Key] = []
        while let question = pacer.next(now: now) { keys.append(question.key) }
        return keys
    }

    @Test func aBoundedNumberIsWithTheWorkersAndTheRestHasItsTurnInOrder() {
        var pacer = ReadPacer(limit: 10)
        for id in ids { pacer.want(id, after: 0) }
        var asked = all(&pacer)
        #expect(asked == Array(ids[..<10]) && pacer.unanswered == 10)
        while asked.count < ids.count {
            pacer.settle(asked[asked.count - 10])
            let next = all(&pacer)
            #expect(next.count == 1)
            asked += next
        }
        #expect(asked == ids)
        for id in ids { pacer.settle(id) }
        #expect(pacer.isEmpty && pacer.unanswered == 0)
    }

    @Test func whoIsGoneLeavesItsPlace() {
        var pacer = ReadPacer(limit: 1)
        for id in ids[..<3] { pacer.want(id, after: 0) }
        #expect(all(&pacer) == [ids[0]])
        pacer.settle(ids[1])
        pacer.settle(ids[0])
        #expect(all(&pacer) == [ids[2]])
        // It moved on: another question, behind those that wait.
        pacer.want(ids[2], after: 5)
        #expect(pacer.unanswered == 0 && pacer.after(ids[2]) == 5)
        #expect(all(&pacer) == [ids[2]])
    }

    @Test func whatIsLostIsAskedAgainAndWhatFoundNoRoomRests() {
        var pacer = ReadPacer(limit: 2)
        for id in ids[..<4] { pacer.want(id, after: 7) }
        #expect(all(&pacer).count == 2)
        pacer.rest(ids[0], until: 100)
        #expect(all(&pacer) == [ids[2]])
        let attempts = pacer.tick(now: 50) { _, attempt in attempt == 0 }
        #expect(Set(attempts.map(\.key)) == [ids[1], ids[2]] && attempts.allSatisfy { $0.after == 7 } && pacer.unanswered == 2)
        #expect(pacer.tick(now: 60) { _, attempt in attempt == 0 }.isEmpty)
        // It has rested, and waits behind the others.
        #expect(pacer.tick(now: 100) { _, _ in false }.isEmpty)
        pacer.settle(ids[1])
        pacer.settle(ids[2])
        #expect(all(&pacer) == [ids[3], ids[0]])
    }

    /// After an outage: many subscribers are behind at once.
    @Test func aNodeAsksForAFewReadersAtATime() {
        var state = NodeState(settings: NodeSettings(), shards: 1)
        var actions = NodeActions(shards: 1)
        for id in ids {
            let grant = Grant(topic: "a", cursor: 0, head: 500)
            state.deliver(.subscribe(connection: id.connection.description, grants: [grant]), now: 0, into: &actions)
            state.accept(.more(id.connection, topic: "a", after: 0), now: 0, into: &actions)
        }
        state.finish(now: 0, into: &actions)
        #expect(actions.reads.count == SyncLimits().unansweredReads)
        // Who is behind but has its answer, or is gone, makes room.
        var reads = actions.reads
        var asked = reads.count
        while let read = reads.first {
            actions = NodeActions(shards: 1)
            let page = Page(topic: "a", after: 0, first: 1, head: 500, version: 0, connection: read.connection, events: [[]])
            state.deliver(.page(page), now: 1, into: &actions)
            state.finish(now: 1, into: &actions)
            reads = Array(reads.dropFirst()) + actions.reads
            asked += actions.reads.count
            #expect(reads.count <= SyncLimits().unansweredReads)
        }
        #expect(asked == ids.count && state.reads.isEmpty)
    }
}
