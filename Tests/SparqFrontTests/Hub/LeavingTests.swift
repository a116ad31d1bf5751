import SparqProtocol
import Testing
import WebSocket

@testable import SparqFront

/// How connections end when workers or the broker do not answer.
@Suite struct LeavingTests {
    private let second = 1_000_000_000

    private func types(_ test: TestShard) throws -> [String] { try test.forwarder.takeEnvelopes().map(\.type) }

    @Test func whoComesAndGoesWhileNothingMayLeaveLeavesNothingBehind() throws {
        let test = TestShard()
        let (stays, socket) = try test.open()
        test.forwarder.setCongested(true)
        for number in 0..<100 {
            let (connection, _) = test.connect(user: "u\(number)")
            // The others wait until their deadline is over.
            if number % 2 == 0 { connection.closed() }
            test.now += second
            test.turn()
            test.shard.sweep()
        }
        test.now += 20 * second
        for _ in 0..<2 {
            test.shard.sweep()
            test.turn()
        }
        #expect(Array(test.shard.connections.values).map(\.id) == [stays.id] && test.shard.counters.connections == 1)
        #expect(test.shard.readyConnections.isEmpty && test.shard.busyConnections.isEmpty)
        #expect(test.forwarder.bytes == 0)
        test.forwarder.setCongested(false)
        test.shard.relieved()
        test.turn()
        #expect(try types(test) == [] && socket.closed == nil)
    }

    @Test(arguments: [false, true]) func aConnectionThatNoWorkerHeardOfIsNotEnded(hasLeft: Bool) throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        if hasLeft { connection.closed() }
        test.turn()
        test.shard.apply([.undelivered(connection.id, ordinals: [1])])
        test.turn()
        #expect(socket.closed?.code == (hasLeft ? nil : .tryAgainLater))
        #expect(try types(test) == ["$connect"])
        #expect(test.shard.isEmpty)
    }

    @Test func theEndFollowsWhatIsOnItsWayHoweverLate() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"a"}"#)
        test.turn()
        test.receive(connection, #"{"type":"b"}"#)
        test.turn()
        test.now += 9 * second
        connection.closed()
        test.now += 2 * second
        test.shard.sweep()
        test.turn()
        #expect(try types(test) == ["a"])
        test.done(connection, 2)
        #expect(try test.forwarder.takeEnvelopes().map { "\($0.type) \($0.ordinal)" } == ["$disconnect 3"])
        #expect(test.shard.isEmpty)
    }

    @Test func theEndDoesNotWaitForEver() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"a"}"#)
        test.turn()
        connection.closed()
        test.forwarder.setCongested(true)
        for _ in 0..<20 {
            test.now += second
            test.shard.sweep()
            test.turn()
        }
        // Not before there is room.
        #expect(try types(test) == ["a"])
        test.forwarder.setCongested(false)
        test.shard.sweep()
        #expect(try types(test) == ["$disconnect"])
        #expect(test.shard.isEmpty)
    }

    @Test func whatWasOnItsWayWhenTheQueueWasLostIsWaitedForNoLongerThanItsDeadline() throws {
        let test = TestShard()
        let (mute, muteSocket) = try test.open()
        let (later, laterSocket) = try test.open()
        let (lucky, luckySocket) = try test.open()
        for connection in [mute, lucky] { test.receive(connection, #"{"type":"a","id":"1"}"#) }
        test.turn()
        test.shard.apply([.resync])
        test.receive(later, #"{"type":"a","id":"1"}"#)
        test.done(lucky, 2)
        test.receive(lucky, #"{"type":"b","id":"2"}"#)
        test.turn()
        test.now += 9 * second
        test.shard.sweep()
        #expect(muteSocket.closed == nil)
        test.now += second
        test.shard.sweep()
        #expect(muteSocket.closed?.code == .tryAgainLater)
        // What was sent after it is none of those.
        #expect(laterSocket.closed == nil && luckySocket.closed == nil)
    }
}
