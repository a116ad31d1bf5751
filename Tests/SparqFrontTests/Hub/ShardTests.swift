import NIOCore
import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct ShardTests {
    private func frame(_ text: String) -> ByteBuffer { TextFrame.encode(Array(text.utf8)[...]) }
    private func event(_ seq: Int) -> FrameStream.Release { .event(seq: seq, frame: frame("\(seq)")) }

    @Test func eventsGoToSubscribersAloneWithOneFlush() throws {
        let test = TestShard()
        let (first, firstSocket) = try test.open()
        let (second, secondSocket) = try test.open()
        let (_, thirdSocket) = try test.open()
        test.shard.apply([
            .subscribe(first.id, topic: "a", start: .live(cursor: 3, through: 3, frames: [])),
            .subscribe(second.id, topic: "a", start: .live(cursor: 5, through: 3, frames: [])),
        ])
        let before = firstSocket.flushes
        test.shard.apply([
            .release(topic: "a", [event(4), event(5)]), .release(topic: "a", [event(6)]), .ephemeral(topic: "a", frame: frame("e")),
        ])
        #expect(firstSocket.takeTexts() == ["4", "5", "6", "e"])
        // Its cursor was ahead of the node.
        #expect(secondSocket.takeTexts() == ["6", "e"])
        #expect(thirdSocket.texts.isEmpty)
        #expect(firstSocket.flushes == before + 1)
        test.shard.apply([.release(topic: "a", [event(7), event(8)])])
        #expect(firstSocket.takeTexts() == ["7", "8"] && secondSocket.takeTexts() == ["7", "8"])
    }

    @Test func slowConsumers() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let (other, otherSocket) = try test.open()
        for id in [connection.id, other.id] {
            test.shard.apply([.subscribe(id, topic: "a", start: .live(cursor: 0, through: 0, frames: []))])
        }
        socket.isWritable = false
        socket.bufferedBytes = 600_000
        test.shard.apply([.ephemeral(topic: "a", frame: frame("e")), .release(topic: "a", [event(1)])])
        #expect(socket.takeTexts() == ["1"] && otherSocket.takeTexts() == ["e", "1"])
        #expect(test.shard.counters.dropped == 1)
        socket.bufferedBytes = 1 << 20
        test.shard.apply([.release(topic: "a", [event(2), event(3)])])
        #expect(socket.closed?.code.rawValue == 4008)
        #expect(socket.texts.isEmpty && otherSocket.takeTexts() == ["2", "3"])
        #expect(test.takeInputs().contains(.left(connection.id, topic: "a")))
    }

    @Test func pagesWaitForTheSocketToDrain() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.shard.apply([.subscribe(connection.id, topic: "a", start: .behind(cursor: 2))])
        #expect(test.takeInputs() == [.more(connection.id, topic: "a", after: 2)])
        var frames = frame("3")
        frames.writeImmutableBuffer(frame("4"))
        socket.isWritable = false
        let page = LogPage(after: 2, first: 3, last: 4, frames: frames, isLast: false)
        test.shard.apply([.release(topic: "a", [event(9)]), .page(connection.id, topic: "a", page), .page(connection.id, topic: "a", page)])
        #expect(socket.takeTexts() == ["3", "4"])
        #expect(test.takeInputs().isEmpty)
        socket.isWritable = true
        connection.drained()
        connection.drained()
        test.turn()
        #expect(test.takeInputs() == [.more(connection.id, topic: "a", after: 4)])
        let rest = LogPage(after: 4, first: 7, last: 7, frames: frame("7"), isLast: true)
        test.shard.apply([
            .page(connection.id, topic: "a", rest),
            .join(connection.id, topic: "a", after: 7, through: 9, frames: [frame("8"), frame("9")]),
            .release(topic: "a", [event(10)]),
        ])
        #expect(socket.takeTexts() == [#"{"type":"$truncated","topic":"a","after":4,"first":7}"#, "7", "8", "9", "10"])
        #expect(test.takeInputs().isEmpty)
    }

    @Test func whoIsBehindInManyTopicsIsNoSlowConsumer() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        socket.keeps = true
        let fill = String(repeating: "x", count: 200_000)
        let names = (0..<20).map { "t\($0)" }
        // Half of them are covered by the ring, with as much as it may hold.
        let ring = [frame("1" + fill)]
        test.shard.apply(
            names.enumerated().map { index, name in
                .subscribe(
                    connection.id,
                    topic: name,
                    start: index % 2 == 0 ? .behind(cursor: 0) : .live(cursor: 0, through: 1, frames: ring)
                )
            }
        )
        var written = socket.takeTexts().count
        var rounds = 0
        while case let asked = test.takeInputs(), !asked.isEmpty || socket.bufferedBytes > 0 {
            rounds += 1
            guard rounds < 200 else { break }
            for input in asked {
                guard case .more(_, let topic, let after) = input else { continue }
                // Three pages each; the ring has nothing beyond.
                let page = LogPage(after: after, first: after + 1, last: after + 1, frames: frame(fill), isLast: after == 2)
                test.shard.apply([.page(connection.id, topic: topic, page)])
                if after == 2 { test.shard.apply([.join(connection.id, topic: topic, after: 3, through: 3, frames: [])]) }
            }
            written += socket.takeTexts().count
            try #require(socket.closed == nil)
            socket.drain()
            connection.drained()
            test.turn()
        }
        #expect(test.shard.topics.values.flatMap(\.entries).allSatisfy { $0.subscriber.phase == .live })
        let live = names.count - test.shard.topics.values.flatMap(\.entries).count { $0.subscriber.cursor == 3 }
        #expect(written == live + (names.count - live) * 3)
    }

    @Test func whoLeavesATopicGivesItsTurnToAnother() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        let names = (0..<6).map { "t\($0)" }
        test.shard.apply(names.map { .subscribe(connection.id, topic: $0, start: .behind(cursor: 0)) })
        #expect(test.takeInputs().count == 4)
        test.shard.apply([.unsubscribe(.connection(connection.id), topics: ["t0", "t1"])])
        #expect(test.takeInputs().count { if case .more = $0 { true } else { false } } == 2)
    }

    @Test func aLogThatWasSetBackSendsItsSubscribersAway() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let (_, otherSocket) = try test.open()
        test.shard.apply([.subscribe(connection.id, topic: "a", start: .live(cursor: 5, through: 5, frames: []))])
        test.shard.apply([.release(topic: "a", [.restarted])])
        #expect(socket.closed?.code == .internalError && otherSocket.closed == nil)
        #expect(test.takeInputs() == [.left(connection.id, topic: "a")] && test.shard.topics.isEmpty)
    }

    @Test func whatIsForOneConnectionIsNotDropped() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        socket.isWritable = false
        socket.bufferedBytes = 600_000
        test.shard.apply([.send(connection.id, frame: frame("$subscribed"))])
        #expect(socket.takeTexts() == ["$subscribed"])
        let (early, earlySocket) = test.connect()
        test.shard.apply([.send(early.id, frame: frame("before the welcome"))])
        #expect(earlySocket.texts.isEmpty)
    }

    @Test func subscribingTwiceKeepsThePlace() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let again = ShardCommand.subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 1, frames: [frame("1")]))
        test.shard.apply([again, again])
        #expect(socket.takeTexts() == ["1"])
        #expect(test.takeInputs() == [.refused(topic: "a", shard: 0)])
        test.shard.apply([.subscribe(.random(.socket, shard: 0), topic: "a", start: .behind(cursor: 0))])
        #expect(test.takeInputs() == [.refused(topic: "a", shard: 0)])
    }

    /// The server subscribes a connection from now when it opens; then comes the client's cursor, which lies before that.
    @Test(arguments: [true, false]) func aCursorBeforeThePlaceGoesBackToIt(ringCovers: Bool) throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.shard.apply([
            .subscribe(connection.id, topic: "a", start: .live(cursor: 5, through: 5, frames: [])), .release(topic: "a", [event(6)]),
        ])
        #expect(socket.takeTexts() == ["6"])
        if ringCovers {
            test.shard.apply([
                .subscribe(connection.id, topic: "a", start: .live(cursor: 4, through: 6, frames: [frame("5"), frame("6")])),
                .release(topic: "a", [event(7)]),
            ])
            // The node counts a connection once.
            #expect(test.takeInputs() == [.refused(topic: "a", shard: 0)])
        } else {
            test.shard.apply([.subscribe(connection.id, topic: "a", start: .behind(cursor: 4)), .release(topic: "a", [event(7)])])
            #expect(test.takeInputs() == [.refused(topic: "a", shard: 0), .more(connection.id, topic: "a", after: 4)])
            let frames = [frame("5"), frame("6"), frame("7")]
            test.shard.apply([.join(connection.id, topic: "a", after: 4, through: 7, frames: frames)])
        }
        #expect(socket.takeTexts() == ["5", "6", "7"])
        #expect(connection.subscriptions.count == 1)
    }

    @Test func unsubscribeAndDisconnect() throws {
        let test = TestShard()
        let (alice, aliceSocket) = try test.open(user: "alice")
        let (tablet, tabletSocket) = try test.open(user: "alice")
        let (bob, bobSocket) = try test.open(user: "bob")
        for connection in [alice, tablet, bob] {
            test.shard.apply([.subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 0, frames: []))])
        }
        test.shard.apply([.unsubscribe(.user("alice"), topics: ["a", "b"]), .release(topic: "a", [event(1)])])
        #expect(aliceSocket.texts.isEmpty && tabletSocket.texts.isEmpty && bobSocket.takeTexts() == ["1"])
        #expect(test.takeInputs().count == 2)
        test.shard.apply([.disconnect(.user("alice"), code: 4003, reason: "out"), .disconnect(.connection(bob.id), code: 77, reason: "")])
        #expect(aliceSocket.closed?.code.rawValue == 4003 && aliceSocket.closed?.reason == "out" && tabletSocket.closed != nil)
        #expect(bobSocket.closed?.code.rawValue == 4003)
        _ = tablet
    }

    /// A worker that hangs, or a batch that is published twice, brings the outcome of a message when later ones have changed the same things.
    @Test func aCopyOfAnOutcomeChangesNothing() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        /// As a worker sends it: what finishes a message, and what that wants for its connection.
        func outcome(_ ordinal: Int, _ command: ShardCommand) {
            test.shard.apply([.done(connection.id, ordinal: ordinal, reply: nil, session: nil), command])
            test.turn()
        }
        func start(_ cursor: Int) -> ShardCommand.Start { .live(cursor: cursor, through: cursor, frames: []) }
        let subscribe = ShardCommand.subscribe(connection.id, ordinal: 2, topic: "a", start: start(0))
        let unsubscribe = ShardCommand.unsubscribe(.connection(connection.id), ordinal: 3, topics: ["a"])
        let commands = [subscribe, unsubscribe, .subscribe(connection.id, ordinal: 4, topic: "a", start: start(5))]
        for (index, command) in commands.enumerated() {
            test.receive(connection, #"{"type":"m","id":"\#(index)"}"#)
            test.turn()
            outcome(index + 2, command)
        }
        #expect(test.takeInputs() == [.left(connection.id, topic: "a")])
        let place = connection.subscriptions.map(\.topic.entries[0].subscriber.start)
        #expect(place == [5])
        outcome(2, subscribe)
        #expect(test.takeInputs() == [.refused(topic: "a", shard: 0)], "the node counts it no more")
        outcome(3, unsubscribe)
        outcome(3, .send(connection.id, ordinal: 3, frame: frame("again")))
        outcome(4, .disconnect(.connection(connection.id), ordinal: 4, code: 4003, reason: ""))
        #expect(connection.subscriptions.map(\.topic.entries[0].subscriber.start) == place)
        #expect(socket.texts.isEmpty && socket.closed == nil && test.takeInputs().isEmpty)
        // Right behind its first copy, too.
        test.receive(connection, #"{"type":"m","id":"4"}"#)
        test.turn()
        outcome(5, .send(connection.id, ordinal: 5, frame: frame("once")))
        outcome(5, .send(connection.id, ordinal: 5, frame: frame("once")))
        #expect(socket.takeTexts() == ["once"])
    }

    @Test func drain() throws {
        let test = TestShard()
        let (idle, idleSocket) = try test.open()
        let (busy, busySocket) = try test.open()
        test.receive(busy, #"{"type":"a","id":"1"}"#)
        test.turn()
        test.shard.startDraining(window: 1_000_000_000)
        #expect(idleSocket.takeTexts().first?.hasPrefix(#"{"type":"$reconnect","after_ms":"#) ?? false)
        #expect(idleSocket.closed == nil)
        test.now += 1_000_000_001
        test.shard.sweep()
        test.turn()
        #expect(idleSocket.closed?.code == .serviceRestart)
        #expect(busySocket.closed == nil && busySocket.isPaused)
        test.done(busy, 2, #"{"re":"1","ok":true}"#)
        test.shard.sweep()
        test.turn()
        #expect(busySocket.takeTexts().last == #"{"re":"1","ok":true}"# && busySocket.closed?.code == .serviceRestart)
        #expect(test.shard.isEmpty)
        #expect(try test.forwarder.takeEnvelopes().map(\.type).sorted() == ["$disconnect", "$disconnect", "a"])
        _ = idle
    }

    @Test func httpRequests() throws {
        let test = TestShard()
        var answers: [HTTPAnswer] = []
        let message = HTTPMessage(user: nil, type: "a", id: "1", message: Array(#"{"type":"a","id":"1"}"#.utf8))
        test.shard.request(message) { answers.append($0) }
        let envelope = try #require(try test.forwarder.takeEnvelopes().first)
        #expect(envelope.user == nil && envelope.ordinal == 1)
        let id = try #require(ConnectionID(envelope.connection ?? ""))
        #expect(id.kind == .http)
        test.shard.apply([.done(id, ordinal: 1, reply: Array("{}".utf8)[...], session: .begin(user: "x"))])
        test.shard.apply([.done(id, ordinal: 1, reply: Array("{}".utf8)[...], session: .begin(user: "x"))])
        #expect(answers == [.reply(Array("{}".utf8), .begin(user: "x"))])
        test.shard.request(message) { answers.append($0) }
        test.now += 10_000_000_000
        test.shard.sweep()
        #expect(answers.last == .unavailable && test.shard.isEmpty)
        test.forwarder.setCongested(true)
        test.shard.request(message) { answers.append($0) }
        #expect(answers.count == 3 && answers.last == .unavailable)
    }
}
