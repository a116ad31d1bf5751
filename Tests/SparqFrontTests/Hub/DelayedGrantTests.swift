import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront
@testable import SparqFrontCore

/// Grants of workers that stood still, against what a user was unsubscribed from meanwhile.
@Suite struct DelayedGrantTests {
    private let room = "room:a"

    private func send(_ test: TestShard, _ connection: Connection, _ text: String) throws -> Envelope {
        test.receive(connection, text)
        test.turn()
        return try #require(try test.forwarder.takeEnvelopes().last)
    }

    private func grant(_ connection: Connection, _ ordinal: Int, _ topic: String, cursor: Int = 3) -> ShardCommand {
        .subscribe(connection.id, ordinal: ordinal, topic: topic, start: .live(cursor: cursor, through: cursor, frames: []))
    }

    private func done(_ connection: Connection, _ ordinal: Int, _ reply: String = #"{"ok":true}"#) -> ShardCommand {
        .done(connection.id, ordinal: ordinal, reply: Array(reply.utf8)[...], session: nil)
    }

    private func isSubscribed(_ test: TestShard, _ connection: Connection, _ topic: String) -> Bool {
        test.shard.topics[ExactName(topic)]?.entries.contains { $0.connection === connection } ?? false
    }

    /// The one question of the front's own that is on its way.
    private func ownQuestion(_ test: TestShard) throws -> Envelope? {
        test.turn()
        return try test.forwarder.takeEnvelopes().first { $0.id == Connection.ownID }
    }

    @Test func aGrantOfBeforeTheLeaveDoesNotSubscribe() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let message = try send(test, connection, #"{"type":"subscribe","id":"s","topics":{"room:a":3,"room:b":3}}"#)
        // Another device leaves the room; the worker that has the message stands still.
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        test.shard.apply([
            done(connection, message.ordinal), grant(connection, message.ordinal, room), grant(connection, message.ordinal, "room:b"),
        ])
        #expect(!isSubscribed(test, connection, room) && isSubscribed(test, connection, "room:b"))
        #expect(test.takeInputs().contains(.refused(topic: room, shard: 0)))
        #expect(socket.takeTexts() == [#"{"ok":true}"#])
        // A worker that looks now knows whether it may.
        let question = try #require(try ownQuestion(test))
        #expect(question.type == "subscribe" && question.message.elementsEqual(#"{"type":"subscribe","topics":{"room:a":3}}"#.utf8))
        test.shard.apply([done(connection, question.ordinal, #"{"re":"\u0001","ok":true,"data":{}}"#)])
        #expect(socket.texts.isEmpty && socket.closed == nil && !isSubscribed(test, connection, room))
        #expect(connection.silent.isEmpty)
    }

    @Test func whoHasComeBackMeanwhileIsSubscribed() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let message = try send(test, connection, #"{"type":"room.join","id":"j","room":"a"}"#)
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        test.shard.apply([done(connection, message.ordinal), grant(connection, message.ordinal, room, cursor: 7)])
        let question = try #require(try ownQuestion(test))
        test.shard.apply([done(connection, question.ordinal), grant(connection, question.ordinal, room, cursor: 7)])
        #expect(isSubscribed(test, connection, room))
        #expect(socket.takeTexts() == [#"{"ok":true}"#])
    }

    /// Nothing was under way when it was said: what is sent later is judged later.
    @Test func aGrantOfAfterTheLeaveCountsAtOnce() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        let message = try send(test, connection, #"{"type":"room.join","room":"a"}"#)
        test.shard.apply([done(connection, message.ordinal), grant(connection, message.ordinal, room)])
        #expect(isSubscribed(test, connection, room))
        // Others' messages do not matter, nor what waited in the front.
        let (other, _) = try test.open(user: "bob")
        let first = try send(test, other, #"{"type":"a"}"#)
        test.receive(other, #"{"type":"room.join","room":"a"}"#)
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room]), .unsubscribe(.user("bob"), topics: [room])])
        test.shard.apply([done(other, first.ordinal)])
        test.turn()
        test.shard.apply([done(other, first.ordinal + 1), grant(other, first.ordinal + 1, room)])
        #expect(isSubscribed(test, other, room) && !isSubscribed(test, connection, room))
    }

    /// The subscriptions of `$connect` were read before.
    @Test func aConnectionThatIsNotWelcomedYetIsInDoubtToo() throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        _ = try test.forwarder.takeEnvelopes()
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        test.shard.apply([done(connection, 1), grant(connection, 1, room), grant(connection, 1, "user:alice")])
        #expect(!isSubscribed(test, connection, room) && isSubscribed(test, connection, "user:alice"))
        #expect(try ownQuestion(test) != nil && socket.closed == nil)
    }

    /// A worker tries the subscription again later, and the leave is through before.
    @Test func aPostponedGrantIsInDoubt() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        let message = try send(test, connection, #"{"type":"subscribe","topics":{"room:a":3}}"#)
        test.shard.apply([.postponed(connection.id, ordinal: message.ordinal)])
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        test.shard.apply([done(connection, message.ordinal), grant(connection, message.ordinal, room)])
        #expect(!isSubscribed(test, connection, room))
        #expect(try ownQuestion(test) != nil)
    }

    /// Leave and join sent together: one worker runs them in order, and tells them in order.
    @Test func whatTheSameConnectionSentBehindItCounts() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"room.leave","room":"a"}"#)
        let second = try send(test, connection, #"{"type":"room.join","room":"a"}"#)
        let sender = Sender(origin: "\(connection.name) \(second.ordinal - 1) 0")
        #expect(sender != nil)
        test.shard.apply([
            done(connection, second.ordinal - 1), .unsubscribe(.user("alice"), sender: sender, topics: [room]),
            done(connection, second.ordinal), grant(connection, second.ordinal, room),
        ])
        #expect(isSubscribed(test, connection, room))
        #expect(try ownQuestion(test) == nil)
    }

    /// It was told that it is subscribed, and is not: it comes again with its cursors.
    @Test(arguments: [true, false]) func aQuestionWithoutAnAnswerEndsTheSocket(isRefused: Bool) throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        let message = try send(test, connection, #"{"type":"subscribe","topics":{"room:a":3}}"#)
        test.shard.apply([.unsubscribe(.user("alice"), topics: [room])])
        test.shard.apply([done(connection, message.ordinal), grant(connection, message.ordinal, room)])
        let question = try #require(try ownQuestion(test))
        if isRefused {
            test.shard.apply([done(connection, question.ordinal, #"{"ok":false,"error":{"code":"internal","message":"No."}}"#)])
        } else {
            test.now += 11_000_000_000
            test.shard.sweep()
        }
        #expect(socket.closed?.code == .tryAgainLater && !socket.texts.contains { $0.contains("unavailable") })
    }

    @Test func beyondTheLimitAllAreInDoubt() {
        var doubts = Doubts()
        doubts.add(["a"], through: 5)
        #expect(doubts.covers("a", 5) && !doubts.covers("a", 6) && !doubts.covers("b", 1))
        doubts.add((0...Doubts.limit).map(String.init), through: 9)
        #expect(doubts.covers("a", 9) && doubts.covers("elsewhere", 9) && !doubts.covers("a", 10))
    }
}
