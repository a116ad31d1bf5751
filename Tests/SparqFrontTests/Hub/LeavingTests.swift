import SparqWire
import Testing
import SparqWebSocket

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
        let (later, _) = try test.open()
        let (lucky, _) = try test.open()
        for connection in [mute, lucky] { test.receive(connection, #"{"type":"a","id":"1"}"#) }
        test.turn()
        test.shard.apply([.resync])
        test.receive(later, #"{"type":"a","id":"1"}"#)
        test.done(lucky, 2)
        test.receive(lucky, #"{"type":"b","id":"2"}"#)
        test.turn()
        test.now += 9 * second
        test.receive(mute, #"{"type":"b","id":"2"}"#)
        test.turn()
        _ = try test.forwarder.takeEnvelopes()
        test.shard.sweep()
        #expect(test.lost.isEmpty && muteSocket.takeTexts().isEmpty)
        test.now += second
        test.shard.sweep()
        test.turn()
        // What was sent after it is none of those.
        #expect(test.lost.map(\.connection) == [mute.name])
        #expect(muteSocket.takeTexts().count { $0.contains(#""re":"1","ok":false,"error":{"code":"unavailable""#) } == 1)
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["2"] && muteSocket.closed == nil)
    }

    @Test func whileNoWorkerAnswersSocketsStayAndNothingButEndsLeaves() throws {
        let test = TestShard()
        let sockets = try (0..<4).map { _ in try test.open() }
        // One has a message with a worker that died over it; one is asked to go.
        test.receive(sockets[0].0, #"{"type":"a","id":"1"}"#)
        test.turn()
        #expect(try types(test) == ["a"])
        test.shard.setServed(false)
        for round in 0..<300 {
            for (connection, _) in sockets.prefix(3) { test.receive(connection, #"{"type":"a","id":"1"}"#) }
            if round == 100 { sockets[2].0.closed() }
            if round == 200 { sockets[3].0.closed() }
            test.now += 2 * second
            test.turn()
            test.shard.sweep()
            test.turn()
        }
        #expect(sockets.prefix(2).allSatisfy { $0.1.closed == nil })
        for (_, socket) in sockets.prefix(2) {
            let texts = socket.takeTexts()
            #expect(texts.count > 290 && texts.allSatisfy { $0.contains(#""code":"unavailable""#) })
        }
        // The one that left with something to say said it first; what was answered `unavailable` is said by nobody.
        let left = try test.forwarder.takeEnvelopes()
        #expect(left.filter { $0.type == "$disconnect" }.map(\.connection) == [sockets[2].0.name, sockets[3].0.name])
        #expect(left.filter { $0.type != "$disconnect" }.allSatisfy { $0.connection == sockets[2].0.name } && left.count <= 8)
        #expect(test.shard.counters.connections == 2)

        test.shard.setServed(true)
        test.turn()
        #expect(Set(try types(test)) == ["a"], "what still waits leaves")
        // Workers have as long for what they find as for anything else.
        for _ in 0..<59 {
            test.now += second
            test.shard.sweep()
        }
        #expect(test.lost.isEmpty)
        test.now += second
        test.shard.sweep()
        #expect(test.lost.contains { $0.connection == sockets[0].0.name } && sockets[0].1.closed == nil)
    }

    @Test func whatMayHaveLostItsAnswerIsSentAgainAndSaysNothingOfTheFirst() async throws {
        let test = TestShard()
        let (mute, muteSocket) = try test.open()
        let (lucky, _) = try test.open()
        let (later, _) = try test.open()
        for number in 1...2 { test.receive(mute, #"{"type":"a","id":"\#(number)"}"#) }
        test.receive(lucky, #"{"type":"b","id":"3"}"#)
        var answers: [HTTPAnswer] = []
        test.shard.request(HTTPMessage(user: "bob", type: "c", id: "4", message: Array("{}".utf8))) { answers.append($0) }
        test.turn()
        let first = try test.forwarder.takeEnvelopes()
        #expect(first.count == 4)
        test.shard.apply([.resync])
        test.receive(later, #"{"type":"d"}"#)
        test.done(mute, 2, #"{"re":"1","ok":true}"#)
        test.done(lucky, 2)
        _ = try test.forwarder.takeEnvelopes()
        test.shard.sendAgain()
        let again = try test.forwarder.takeEnvelopes()
        #expect(again.map(\.type) == ["a", "c"] && again.map(\.id) == ["2", "4"])
        #expect(again.allSatisfy { copy in first.contains { $0 == copy } })
        // The answer to either one counts, once.
        for _ in 0..<2 { test.done(mute, 3, #"{"re":"2","ok":true}"#) }
        #expect(muteSocket.takeTexts() == [#"{"re":"1","ok":true}"#, #"{"re":"2","ok":true}"#])
        #expect(answers.isEmpty)
        test.shard.sendAgain()
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["c"])
    }
}
