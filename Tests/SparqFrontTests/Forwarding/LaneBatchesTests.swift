import SparqWire
import Testing

@testable import SparqFrontCore

@Suite struct LaneBatchesTests {
    private func envelope(_ number: Int, type: String = "t", size: Int = 10) -> Envelope {
        let message = Array("{\"type\":\"\(type)\",\"number\":\(number),\"fill\":\"\(String(repeating: "x", count: size))\"}".utf8)
        return Envelope(node: "f", connection: "c", ordinal: number, user: "u", receivedAt: 1, type: type, id: nil, message: message[...])
    }

    private func ordinals(_ batch: Batch) throws -> [Int] {
        try NDJSON.lines(batch.bytes).map { try Envelope(line: $0).ordinal }
    }

    @Test func boundedByCount() throws {
        var queue = LaneBatches(limits: BatchLimits(messages: 3, bytes: 1 << 20))
        for number in 1...7 {
            queue.append(envelope(number), member: Batch.Member(connection: .random(.socket, shard: 0), ordinal: number))
        }
        var batches: [[Int]] = []
        while let batch = queue.next() {
            batches.append(try ordinals(batch))
            #expect(batch.members.map(\.ordinal) == batches.last)
        }
        #expect(batches == [[1, 2, 3], [4, 5, 6], [7]])
        #expect(queue.bytes == 0 && queue.isEmpty)
    }

    /// Two batches may be worked on at the same time: a connection's messages in both of them could change places.
    @Test func messagesOfOneConnectionStayTogether() throws {
        var queue = LaneBatches(limits: BatchLimits(messages: 3, bytes: 1 << 20))
        let connections = (0..<4).map { ConnectionID(kind: .socket, shard: 0, number: $0) }
        for connection in connections {
            for number in 1...2 { queue.append(envelope(number), member: Batch.Member(connection: connection, ordinal: number)) }
        }
        var batches: [[ConnectionID]] = []
        while let batch = queue.next() { batches.append(batch.members.map(\.connection)) }
        #expect(batches == [[0, 0, 1, 1], [2, 2, 3, 3]].map { $0.map { connections[$0] } })
    }

    @Test func boundedByBytes() throws {
        var queue = LaneBatches(limits: BatchLimits(messages: 1000, bytes: 4096))
        for number in 1...20 { queue.append(envelope(number, size: 1000), member: nil) }
        // One that is over the bound alone still goes.
        queue.append(envelope(21, size: 10_000), member: nil)
        var all: [Int] = []
        while let batch = queue.next() {
            #expect(batch.bytes.count <= 4096 || batch.count == 1)
            #expect(batch.members.isEmpty)
            all += try ordinals(batch)
        }
        #expect(all == Array(1...21))
    }

    @Test func whatIsOverItsDeadlineIsTakenOut() throws {
        var queue = LaneBatches(limits: BatchLimits())
        func member(_ number: Int, _ deadline: Int) -> Batch.Member {
            Batch.Member(connection: ConnectionID(kind: .socket, shard: 0, number: UInt64(number)), ordinal: number, deadline: deadline)
        }
        let members = [member(2, 10), member(3, 30), member(4, 20), member(6, .max)]
        queue.append(envelope(1), member: nil)
        for member in members.prefix(3) { queue.append(envelope(member.ordinal), member: member) }
        // The node's own have none.
        queue.append(envelope(5), member: nil)
        queue.append(envelope(6), member: members[3])
        queue.append(envelope(7), member: nil)
        let next = queue.next()
        var batch = try #require(next)
        var expired = batch.removeExpired(now: 9)
        #expect(expired == [] && batch.count == 7)
        expired = batch.removeExpired(now: 20)
        #expect(expired == [members[0], members[2]])
        #expect(try ordinals(batch) == [1, 3, 5, 6, 7] && batch.count == 5 && batch.members == [members[1], members[3]])
        expired = batch.removeExpired(now: 30)
        #expect(expired == [members[1]])
        #expect(try ordinals(batch) == [1, 5, 6, 7])
        expired = batch.removeExpired(now: .max - 1)
        #expect(expired == [])
    }

    /// A connection of which no worker has heard need not be ended either.
    @Test func aBeginningThatIsTakenOutTakesItsEndAlong() throws {
        let ids = (0..<2).map { ConnectionID(kind: .socket, shard: 0, number: $0) }
        func batch() throws -> Batch {
            var queue = LaneBatches(limits: BatchLimits())
            queue.append(envelope(1), member: Batch.Member(connection: ids[0], ordinal: 1, deadline: 10))
            queue.append(envelope(2), member: Batch.Member(connection: ids[1], ordinal: 7))
            queue.append(envelope(3), member: nil)
            queue.append(envelope(4), member: Batch.Member(connection: ids[0], ordinal: 9))
            let next = queue.next()
            return try #require(next)
        }
        var late = try batch()
        #expect(late.removeExpired(now: 10).map(\.ordinal) == [1, 9])
        #expect(try ordinals(late) == [2, 3] && late.count == 2)
        var returned = try batch()
        #expect(returned.removeReturned().map(\.ordinal) == [1, 9])
        // The node asks again by itself.
        #expect(try ordinals(returned) == [2] && returned.count == 1)
        // It may be with the workers already, and then the end must follow it.
        var tried = try batch()
        tried.wasTried = true
        #expect(tried.removeExpired(now: 10).isEmpty)
        #expect(try ordinals(tried) == [1, 2, 3, 4] && tried.count == 4)
        // So also where its queue is gone when it is published again.
        #expect(tried.removeReturned().isEmpty)
        #expect(try ordinals(tried) == [1, 2, 4] && tried.count == 3)
    }

    /// Workers may have the first one.
    @Test func aCopyOfABeginningLeavesItsEndBehind() throws {
        let id = ConnectionID(kind: .socket, shard: 0, number: 0)
        var queue = LaneBatches(limits: BatchLimits())
        let copy = Batch.Member(connection: id, ordinal: 1, deadline: 10, isCopy: true)
        queue.append(envelope(1), member: copy)
        queue.append(envelope(2), member: Batch.Member(connection: id, ordinal: 2))
        let next = queue.next()
        var batch = try #require(next)
        let expired = batch.removeExpired(now: 10)
        #expect(expired == [copy])
        #expect(try ordinals(batch) == [2])
    }

    @Test func eachPoolItsOwnBatches() throws {
        var batches = FormingBatches(lanes: try LaneMap("media=media.*"), limits: BatchLimits())
        batches.add(envelope(1), member: nil)
        batches.add(envelope(2, type: "media.put"), member: nil)
        batches.add(envelope(3), member: nil)
        batches.add(envelope(4, type: "$lease"), member: nil)
        batches.add(envelope(5, type: "$connect"), member: nil)
        #expect(batches.queues.allSatisfy { $0.bytes > 0 })
        let taken = (batches.next(0), batches.next(1), batches.next(2))
        #expect(try taken.0.map(ordinals) == [1, 3, 5])
        #expect(try taken.1.map(ordinals) == [4])
        #expect(try taken.2.map(ordinals) == [2])
        #expect(batches.queues.allSatisfy { $0.bytes == 0 })
        let rest = (batches.next(0), batches.next(1), batches.next(2))
        #expect(rest.0 == nil && rest.1 == nil && rest.2 == nil)
    }
}
