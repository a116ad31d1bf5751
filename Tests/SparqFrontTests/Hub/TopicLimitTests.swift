import Foundation
import SparqWire
import Testing

@testable import SparqFront

/// How many topics a connection may ask for.
@Suite struct TopicLimitTests {
    private func shard() -> TestShard {
        var settings = ConnectionSettings(node: "f-test")
        settings.topics = 2
        return TestShard(settings: settings)
    }

    private struct Reply: Decodable {
        struct Topic: Decodable {
            struct Failure: Decodable { var code: String }
            var ok: Bool
            var error: Failure?
        }
        struct Topics: Decodable { var topics: [String: Topic] }
        var re: String?
        var data: Topics

        init(_ text: String) throws { self = try JSONDecoder().decode(Reply.self, from: Data(text.utf8)) }

        var refused: [String] { data.topics.filter { $0.value.error?.code == "too_many_topics" }.keys.sorted() }
        var granted: [String] { data.topics.filter(\.value.ok).keys.sorted() }
    }

    private func topics(_ envelope: Envelope) throws -> [String: Int?] {
        struct Message: Decodable { var topics: [String: Int?] }
        return try JSONDecoder().decode(Message.self, from: Data(envelope.message)).topics
    }

    @Test func whatIsBeyondTheLimitIsRefusedTopicByTopic() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        test.shard.apply([.subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 0, frames: []))])
        test.receive(connection, #"{"type":"subscribe","id":"1","topics":{"d":null,"a":1,"b":-1,"c\"":3}}"#)
        test.turn()
        let envelope = try #require(try test.forwarder.takeEnvelopes().first)
        #expect(try topics(envelope) == ["a": 1, "b": -1] && envelope.id == "1")
        #expect(socket.texts.isEmpty)
        test.done(connection, 2, #"{"re":"1","ok":true,"data":{"topics":{"a":{"ok":true,"seq":4},"b":{"ok":true,"seq":9}}}}"#)
        let reply = try Reply(try #require(socket.takeTexts().first))
        #expect(reply.refused == ["c\"", "d"] && reply.granted == ["a", "b"] && reply.re == "1")
        #expect(connection.refusedTopics.isEmpty)
        // A later reply is none of that one's.
        test.receive(connection, #"{"type":"subscribe","id":"2","topics":{"a":2}}"#)
        test.turn()
        test.done(connection, 3, #"{"re":"2","ok":true,"data":{"topics":{"a":{"ok":true,"seq":4}}}}"#)
        #expect(try Reply(try #require(socket.takeTexts().first)).refused.isEmpty)
    }

    @Test func whatNoWorkerAnswersLeavesNothingBehind() throws {
        let test = shard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"subscribe","id":"1","topics":{"a":null,"b":null,"c":null}}"#)
        test.turn()
        #expect(connection.refusedTopics == [2: ["c"]])
        test.shard.apply([.undelivered(connection.id, ordinals: [2])])
        #expect(connection.refusedTopics.isEmpty)
    }

    @Test func whereNoneIsLeftTheFrontAnswers() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        for topic in ["a", "b"] {
            test.shard.apply([.subscribe(connection.id, topic: topic, start: .live(cursor: 0, through: 0, frames: []))])
        }
        test.receive(connection, #"{"type":"subscribe","id":"1","topics":{"c":null}}"#)
        test.receive(connection, #"{"type":"subscribe","topics":{"c":null}}"#)
        // No request as it should be: a worker will say so.
        test.receive(connection, #"{"type":"subscribe","id":"3","topics":[]}"#)
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["3"])
        let replies = try socket.takeTexts().map { try Reply($0) }
        #expect(replies.map(\.re) == ["1", nil] && replies.allSatisfy { $0.refused == ["c"] })
    }

    @Test func topicsThatAreAskedForAlreadyCount() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        for id in 1...3 { test.receive(connection, #"{"type":"subscribe","id":"\#(id)","topics":{"\#(id)":0}}"#) }
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["1", "2"])
        #expect(try Reply(try #require(socket.takeTexts().first)).refused == ["3"])
        // One was refused, the other never reached a worker.
        test.done(connection, 2)
        test.shard.apply([.undelivered(connection.id, ordinals: [3])])
        _ = socket.takeTexts()
        test.receive(connection, #"{"type":"subscribe","id":"4","topics":{"3":0,"4":0}}"#)
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["4"] && socket.texts.isEmpty)
    }

    /// A handler knows nothing of the limit, and its client would never hear that a topic was dropped.
    @Test func whatTheServerSubscribesToStands() throws {
        let test = shard()
        let (connection, socket) = try test.open()
        for topic in ["a", "b", "c"] {
            test.shard.apply([.subscribe(connection.id, topic: topic, start: .live(cursor: 0, through: 0, frames: []))])
        }
        #expect(connection.subscriptions.map(\.topic.name) == ["a", "b", "c"] && test.takeInputs().isEmpty)
        // What it has already is no new topic.
        test.receive(connection, #"{"type":"subscribe","id":"1","topics":{"c":0,"d":0}}"#)
        test.turn()
        let envelope = try #require(try test.forwarder.takeEnvelopes().first)
        #expect(try topics(envelope) == ["c": 0])
        test.done(connection, 2, #"{"re":"1","ok":true,"data":{"topics":{}}}"#)
        #expect(try Reply(try #require(socket.takeTexts().first)).refused == ["d"])
    }

    /// What one frame of 65 kB could name took the event loop a quarter of a second.
    @Test(arguments: ["subscribe", "unsubscribe"])
    func aMessageThatNamesTooManyIsRefusedAsAWhole(type: String) throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        func frame(_ id: String, _ count: Int) -> String {
            let names = (0..<count).map { "\"e\u{301}\($0)\"" }
            let topics = type == "subscribe" ? "{\(names.map { "\($0):0" }.joined(separator: ","))}" : "[\(names.joined(separator: ","))]"
            return #"{"type":"\#(type)","id":"\#(id)","topics":\#(topics)}"#
        }
        test.receive(connection, frame("1", Topic.messageLimit + 1))
        test.receive(connection, frame("2", 5_000))
        test.turn()
        let replies = socket.takeTexts()
        #expect(replies.count == 2 && replies.allSatisfy { $0.contains(#""ok":false,"error":{"code":"too_many_topics""#) }, "\(replies)")
        #expect(replies.first?.contains(#""re":"1""#) == true)
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
        test.receive(connection, frame("3", Topic.messageLimit))
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["3"])
    }

    @Test func anErrorOfTheWholeRequestStaysWhatItIs() throws {
        let text = #"{"re":"\"topics\":{","ok":false,"error":{"code":"internal","message":""}}"#
        #expect(SubscribeFrame.reply(Array(text.utf8)[...], refused: ["a"], limit: 2) == Array(text.utf8)[...])
    }
}
