import NIOCore
import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront
@testable import SparqFrontCore

@Suite struct ConnectionTests {
    @Test func connectComesFirstAndWhatFollowsWaits() throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        test.receive(connection, #"{"type":"a","id":"1"}"#)
        test.receive(connection, #"{"type":"b","id":"2"}"#)
        test.turn()
        var envelopes = try test.forwarder.takeEnvelopes()
        #expect(envelopes.map(\.type) == ["$connect"])
        #expect(envelopes.first?.ordinal == 1 && envelopes.first?.user == "alice" && envelopes.first?.connection == connection.name)
        #expect(socket.texts.isEmpty && socket.isPaused)
        test.done(connection, 1)
        #expect(!socket.isPaused)
        #expect(
            socket.texts.count == 1
                && socket.texts[0].hasPrefix(#"{"type":"$welcome","connection":"\#(connection.name)","user":"alice","node":"f-test""#)
        )
        envelopes = try test.forwarder.takeEnvelopes()
        #expect(envelopes.map(\.type) == ["a", "b"] && envelopes.map(\.ordinal) == [2, 3] && envelopes.map(\.id) == ["1", "2"])
        #expect(socket.isFlushed)
    }

    @Test func theWelcomeIsFirstEvenBeforeWhatConnectSubscribedTo() throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        func frame(_ text: String) -> ByteBuffer { TextFrame.encode(Array(text.utf8)[...]) }
        test.shard.apply([
            .send(connection.id, frame: frame("subscribed")),
            .subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 1, frames: [frame("1")])),
            .release(topic: "a", [.event(seq: 2, frame: frame("2"))]),
        ])
        #expect(socket.texts.isEmpty)
        test.done(connection, 1)
        let texts = socket.takeTexts()
        #expect(texts.first?.contains("$welcome") ?? false)
        #expect(texts.dropFirst() == ["subscribed", "1", "2"])
        test.shard.apply([.release(topic: "a", [.event(seq: 3, frame: frame("3"))])])
        #expect(socket.takeTexts() == ["3"])
    }

    @Test func aRefusedConnectionLeavesItsTopics() throws {
        let test = TestShard()
        let (connection, _) = test.connect()
        test.shard.apply([.subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 0, frames: []))])
        test.done(connection, 1, #"{"ok":false,"error":{"code":"banned","message":"No."}}"#)
        #expect(test.takeInputs() == [.left(connection.id, topic: "a")])
        #expect(test.shard.topics.isEmpty && test.shard.isEmpty)
    }

    @Test func refusedConnection() throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        test.receive(connection, #"{"type":"a"}"#)
        _ = try test.forwarder.takeEnvelopes()
        test.done(connection, 1, #"{"ok":false,"error":{"code":"banned","message":"No."}}"#)
        #expect(socket.closed?.code.rawValue == 4001 && socket.closed?.reason == "banned")
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
        #expect(test.shard.isEmpty)
    }

    @Test func aConnectionThatFailedIsNoEndOfTheSession() throws {
        let test = TestShard()
        let (connection, socket) = test.connect()
        test.done(connection, 1, #"{"ok":false,"error":{"code":"internal","message":"No."}}"#)
        #expect(socket.closed?.code == .internalError && test.shard.isEmpty)
    }

    @Test func connectWithoutAnAnswer() throws {
        let test = TestShard()
        let (_, socket) = test.connect()
        test.now += 10_000_000_000
        test.shard.sweep()
        #expect(socket.closed?.code == .tryAgainLater)
        // It may have taken effect: the leave follows, at the latest after another deadline.
        _ = try test.forwarder.takeEnvelopes()
        test.now += 10_000_000_000
        test.shard.sweep()
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["$disconnect"])
        #expect(test.shard.isEmpty)
    }

    @Test func oneBatchOnItsWay() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a"}"#)
        test.turn()
        test.receive(connection, #"{"type":"b"}"#)
        test.turn()
        test.receive(connection, #"{"type":"c"}"#)
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["a"])
        test.done(connection, 2, #"{"ok":true}"#)
        #expect(socket.takeTexts() == [#"{"ok":true}"#])
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["b", "c"])
        test.done(connection, 4)
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
    }

    @Test func unavailableOnceAndTheLateReplyIsIgnored() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a","id":"x"}"#)
        test.turn()
        test.now += 5_000_000_000
        test.receive(connection, #"{"type":"b","id":"y"}"#)
        test.turn()
        test.now += 5_000_000_000
        test.shard.sweep()
        let texts = socket.takeTexts()
        #expect(texts.count == 1 && texts[0].hasPrefix(#"{"re":"x","ok":false,"error":{"code":"unavailable""#))
        _ = try test.forwarder.takeEnvelopes()
        test.done(connection, 2, #"{"re":"x","ok":true}"#)
        #expect(socket.takeTexts().isEmpty)
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["b"])
    }

    @Test func undeliveredMessages() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a","id":"x"}"#)
        test.receive(connection, #"{"type":"b"}"#)
        test.turn()
        test.shard.apply([.undelivered(connection.id, ordinals: [2, 3])])
        #expect(socket.takeTexts().count { $0.contains("unavailable") } == 2)
        test.receive(connection, #"{"type":"c"}"#)
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.ordinal) == [2, 3, 4])
    }

    @Test func readingPausesAtTheLimit() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        for number in 0..<63 { test.receive(connection, #"{"type":"a","id":"\#(number)"}"#) }
        #expect(!socket.isPaused)
        test.receive(connection, #"{"type":"a"}"#)
        #expect(socket.isPaused)
        test.turn()
        test.done(connection, 2)
        #expect(!socket.isPaused)
    }

    @Test func readingPausesForWaitingBytes() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a"}"#)
        test.turn()
        let fill = String(repeating: "x", count: 60_000)
        for _ in 0..<5 { test.receive(connection, #"{"type":"a","fill":"\#(fill)"}"#) }
        #expect(socket.isPaused)
        test.done(connection, 2)
        #expect(!socket.isPaused)
    }

    @Test func aCongestedForwarderHoldsBack() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.forwarder.setCongested(true)
        test.receive(connection, #"{"type":"a","id":"1"}"#)
        test.turn()
        #expect(socket.isPaused)
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
        test.forwarder.setCongested(false)
        test.shard.relieved()
        #expect(!socket.isPaused)
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["a"])
        // What never left is answered too.
        test.done(connection, 2)
        test.forwarder.setCongested(true)
        test.receive(connection, #"{"type":"b","id":"2"}"#)
        test.turn()
        test.now += 10_000_000_000
        test.shard.sweep()
        #expect(socket.takeTexts().last?.contains(#""re":"2","ok":false"#) ?? false)
        test.forwarder.setCongested(false)
        test.shard.relieved()
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
        #expect(!socket.isPaused)
    }

    @Test func badFramesGetAnAnswerAndTheConnectionStays() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        for (text, code) in [
            ("no", "not_json"), ("[]", "not_an_object"), ("{}", "missing_type"), (#"{"type":"$lease"}"#, "invalid_type"),
            (#"{"type":"a","id":7}"#, "invalid_id"), (#"{"type":"a","id":"c\u0000"}"#, "invalid_id"),
        ] {
            test.receive(connection, text)
            #expect(socket.takeTexts().first?.contains(#""code":"\#(code)""#) ?? false, "\(text)")
        }
        connection.receivedBinary()
        test.turn()
        #expect(socket.takeTexts().first?.contains(#""code":"binary_frame""#) ?? false)
        #expect(socket.closed == nil && socket.isFlushed)
        #expect(try test.forwarder.takeEnvelopes().isEmpty)
    }

    @Test func aPingIsAnsweredByTheFrontItselfAndCountsAgainstTheRate() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"$ping"}"#)
        test.turn()
        #expect(socket.takeTexts() == [#"{"type":"$pong"}"#] && socket.isFlushed)
        #expect(try test.forwarder.takeEnvelopes().isEmpty, "no worker hears of it")
        for text in [#"{"type":"$pong"}"#, #"{"type":"$pinga"}"#, #"{"type":"$connect"}"#] { test.receive(connection, text) }
        test.turn()
        #expect(socket.takeTexts().filter { $0.contains("invalid_type") }.count == 3)
        for _ in 0..<197 { test.receive(connection, #"{"type":"$ping"}"#) }
        test.turn()
        let texts = socket.takeTexts()
        #expect(texts.count == 197 && texts.filter { $0.contains("rate_limited") }.count == 1)
    }

    @Test func rateLimit() throws {
        var settings = ConnectionSettings(node: "f-test")
        settings.inFlight = 1000
        let test = TestShard(settings: settings)
        let (connection, socket) = try test.open()
        for number in 0..<201 { test.receive(connection, #"{"type":"a","id":"\#(number)"}"#) }
        test.turn()
        let texts = socket.takeTexts()
        #expect(texts.count == 1 && texts[0].hasPrefix(#"{"re":"200","ok":false,"error":{"code":"rate_limited""#))
        #expect(try test.forwarder.takeEnvelopes().count == 200)
    }

    @Test func disconnectFollowsWhatIsPending() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.shard.apply([.subscribe(connection.id, topic: "a", start: .live(cursor: 0, through: 0, frames: []))])
        test.receive(connection, #"{"type":"a"}"#)
        test.turn()
        test.receive(connection, #"{"type":"b"}"#)
        connection.closed()
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["a"])
        #expect(test.takeInputs() == [.left(connection.id, topic: "a")])
        #expect(!test.shard.isEmpty && test.shard.topics.isEmpty)
        test.done(connection, 2)
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["b", "$disconnect"])
        #expect(test.shard.isEmpty)
    }

    @Test func whatIsBehindAPostponedMessageGoesOn() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"a","id":"x"}"#)
        test.receive(connection, #"{"type":"b","id":"y"}"#)
        test.turn()
        test.receive(connection, #"{"type":"c","id":"z"}"#)
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["x", "y"])
        test.shard.apply([.postponed(connection.id, ordinal: 2), .postponed(connection.id, ordinal: 3)])
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.ordinal) == [4])
        #expect(socket.takeTexts().isEmpty)
        test.done(connection, 4, #"{"re":"z","ok":true}"#)
        test.done(connection, 2, #"{"re":"x","ok":true}"#)
        #expect(socket.takeTexts() == [#"{"re":"z","ok":true}"#, #"{"re":"x","ok":true}"#])
        // The other one is not done in time, and told so once.
        test.now += 10_000_000_000
        test.shard.sweep()
        test.shard.sweep()
        let texts = socket.takeTexts()
        #expect(texts.count == 1 && texts[0].hasPrefix(#"{"re":"y","ok":false,"error":{"code":"unavailable""#))
        test.done(connection, 3, #"{"re":"y","ok":true}"#)
        #expect(socket.takeTexts().isEmpty)
        test.now += 100_000_000_000
        test.shard.sweep()
        #expect(socket.closed == nil)
    }

    @Test func leavingDoesNotWaitForAPostponedMessage() throws {
        let test = TestShard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"a","id":"x"}"#)
        test.turn()
        test.shard.apply([.postponed(connection.id, ordinal: 2)])
        test.turn()
        _ = try test.forwarder.takeEnvelopes()
        connection.closed()
        test.turn()
        #expect(try test.forwarder.takeEnvelopes().map(\.type) == ["$disconnect"])
        #expect(test.shard.isEmpty)
    }

    @Test func aBatchWithoutItsDonesIsNoticedAndHoldsUpItsLaneNoLonger() throws {
        let test = TestShard()
        let (connection, socket) = try test.open()
        for number in 1...2 { test.receive(connection, #"{"type":"a","id":"\#(number)"}"#) }
        test.turn()
        test.done(connection, 2, #"{"re":"1","ok":true}"#)
        test.now += 55_000_000_000
        test.receive(connection, #"{"type":"a","id":"3"}"#)
        test.turn()
        test.shard.sweep()
        #expect(socket.takeTexts().filter { $0.contains("unavailable") }.count == 1 && test.lost.isEmpty)
        #expect(try test.forwarder.takeEnvelopes().map(\.id) == ["1", "2"])
        test.now += 6_000_000_000
        test.shard.sweep()
        test.turn()
        #expect(test.lost == [UnansweredBatch(lane: "default", connection: connection.name, ordinals: 2..<4, isGivenUp: true)])
        #expect(try test.forwarder.takeEnvelopes().map { "\($0.id ?? "") \($0.ordinal)" } == ["3 4"])
        // Its done comes too late to mean anything.
        test.done(connection, 3, #"{"re":"2","ok":true}"#)
        #expect(socket.takeTexts().isEmpty)
        test.done(connection, 4, #"{"re":"3","ok":true}"#)
        #expect(socket.takeTexts() == [#"{"re":"3","ok":true}"#] && socket.closed == nil)
    }
}
