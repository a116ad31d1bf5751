import SparqWire
import Testing
import SparqWebSocket

@testable import SparqFront
@testable import SparqFrontCore

/// Types with workers of their own: what holds up one lane holds up no other of the same socket.
@Suite struct LaneTests {
    private let second = 1_000_000_000

    private func shard(_ lanes: String = "echo=echo.*,media=media.*", inFlight: Int = 64) throws -> TestShard {
        var settings = ConnectionSettings(node: "f-test")
        settings.lanes = try LaneMap(lanes)
        settings.inFlight = inFlight
        settings.messagesPerSecond = 100_000
        settings.burst = 100_000
        return TestShard(settings: settings)
    }

    private func ids(_ test: TestShard) throws -> [String] { try test.forwarder.takeEnvelopes().map { $0.id ?? $0.type } }

    @Test func aLaneThatAnswersNothingHoldsUpNoOther() throws {
        let test = try shard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"echo.it","id":"e1"}"#)
        test.receive(connection, #"{"type":"room.send","id":"r1"}"#)
        test.turn()
        #expect(Set(try ids(test)) == ["e1", "r1"])
        for ordinal in 2...3 { test.done(connection, ordinal) }
        // The echo never comes back from now on.
        test.receive(connection, #"{"type":"echo.it","id":"e2"}"#)
        test.turn()
        #expect(try ids(test) == ["e2"])
        for number in 1...20 {
            test.receive(connection, #"{"type":"room.send","id":"m\#(number)"}"#)
            test.receive(connection, #"{"type":"echo.it","id":"x\#(number)"}"#)
            test.turn()
            let sent = try test.forwarder.takeEnvelopes()
            #expect(sent.map(\.id) == ["m\(number)"], "the echo waits behind the one before it")
            test.done(connection, try #require(sent.first).ordinal, #"{"re":"m\#(number)","ok":true}"#)
            test.now += second / 10
            test.shard.sweep()
            #expect(socket.takeTexts() == [#"{"re":"m\#(number)","ok":true}"#])
        }
        #expect(!socket.isPaused && socket.closed == nil)
    }

    @Test func orderHoldsWithinALane() throws {
        let test = try shard()
        let (connection, _) = try test.open()
        for number in 1...3 {
            test.receive(connection, #"{"type":"echo.it","id":"e\#(number)"}"#)
            test.receive(connection, #"{"type":"media.it","id":"m\#(number)"}"#)
        }
        test.turn()
        let sent = try test.forwarder.takeEnvelopes()
        #expect(sent.filter { $0.type == "echo.it" }.map(\.id) == ["e1", "e2", "e3"])
        #expect(sent.filter { $0.type == "media.it" }.map(\.id) == ["m1", "m2", "m3"])
        #expect(Set(sent.map(\.ordinal)) == Set(2...7))
    }

    @Test func theBeginningOfAConnectionIsBeforeAllLanesAndItsEndBehindThem() throws {
        let test = try shard()
        let (connection, _) = test.connect()
        test.receive(connection, #"{"type":"echo.it","id":"e1"}"#)
        test.receive(connection, #"{"type":"room.send","id":"r1"}"#)
        test.turn()
        #expect(try ids(test) == ["$connect"])
        test.done(connection, 1)
        let sent = try test.forwarder.takeEnvelopes()
        #expect(Set(sent.map(\.id)) == ["e1", "r1"])
        test.receive(connection, #"{"type":"room.send","id":"r2"}"#)
        connection.closed()
        test.turn()
        #expect(try ids(test) == [])
        test.done(connection, try #require(sent.first { $0.id == "r1" }).ordinal)
        #expect(try ids(test) == ["r2"], "the end waits for the other lane")
        test.done(connection, 4)
        #expect(try ids(test) == [])
        test.done(connection, try #require(sent.first { $0.id == "e1" }).ordinal)
        #expect(try ids(test) == ["$disconnect"] && test.shard.isEmpty)
    }

    @Test func aLaneThatStandsStillDoesNotKeepTheEndForEver() throws {
        let test = try shard()
        let (connection, _) = try test.open()
        test.receive(connection, #"{"type":"echo.it","id":"e1"}"#)
        test.turn()
        connection.closed()
        for _ in 0..<11 {
            test.now += second
            test.shard.sweep()
            test.turn()
        }
        let left = try ids(test)
        #expect(left.count == 2 && Set(left) == ["e1", "$disconnect"])
        #expect(test.shard.isEmpty)
    }

    @Test func aFullLaneThatMovesHoldsBackTheClientAndOneThatStandsStillIsRefused() throws {
        let test = try shard(inFlight: 4)
        let (connection, socket) = try test.open()
        for number in 1...4 { test.receive(connection, #"{"type":"echo.it","id":"e\#(number)"}"#) }
        test.turn()
        #expect(socket.isPaused, "it may only be busy")
        test.shard.sweep()
        #expect(socket.isPaused)
        test.shard.sweep()
        #expect(!socket.isPaused, "nothing of it moved: the others must be heard")
        _ = try test.forwarder.takeEnvelopes()
        for number in 5...1000 { test.receive(connection, #"{"type":"echo.it","id":"e\#(number)"}"#) }
        test.receive(connection, #"{"type":"room.send","id":"r1"}"#)
        test.turn()
        #expect(try ids(test) == ["r1"] && !socket.isPaused)
        let texts = socket.takeTexts()
        #expect(texts.count == 996 && texts.allSatisfy { $0.contains(#""code":"unavailable""#) })
        #expect(connection.inFlight.unanswered == 5 && connection.inFlight.waiting == 0, "what waits is bounded")
        // It moves again.
        for ordinal in 2...3 { test.done(connection, ordinal) }
        test.receive(connection, #"{"type":"echo.it","id":"new"}"#)
        test.turn()
        #expect(socket.takeTexts().isEmpty && connection.inFlight.waiting == 1)
    }

    /// A client that sends many messages for a lane whose handler takes so long, and one for another behind them. Returns after how long that leaves, and
    /// how many of the many are refused.
    private func pipeline(_ handler: Int) throws -> (Int, refused: Int) {
        let test = try shard()
        let (connection, socket) = try test.open()
        var sending = (1...200).map { #"{"type":"echo.it","id":"e\#($0)"}"# }
        sending.append(#"{"type":"room.send","id":"r"}"#)
        let begin = test.now
        var (running, busyUntil) = ([Int](), 0)
        while true {
            while !socket.isPaused, !sending.isEmpty { test.receive(connection, sending.removeFirst()) }
            test.turn()
            let sent = try test.forwarder.takeEnvelopes()
            if sent.contains(where: { $0.id == "r" }) {
                return (test.now - begin, refused: socket.takeTexts().count { $0.contains(#""code":"unavailable""#) })
            }
            if running.isEmpty { busyUntil = test.now + handler }
            running += sent.map(\.ordinal)
            test.now += second / 100
            if (test.now - begin) % test.shard.settings.sweepInterval == 0 { test.shard.sweep() }
            if !running.isEmpty, busyUntil <= test.now {
                test.done(connection, running.removeFirst())
                busyUntil = test.now + handler
            }
            #expect(test.now - begin < 60 * second)
        }
    }

    @Test func aSlowLaneThatMovesHoldsUpTheOthersForASecond() throws {
        let slow = try pipeline(second / 5)
        #expect(slow.0 <= second + second / 10 && slow.refused > 100, "\(slow)")
        // One that is through with half of what it holds in time is only busy, and refuses nothing.
        let brisk = try pipeline(second / 100)
        #expect(brisk.refused == 0 && brisk.0 <= 3 * second, "\(brisk)")
    }

    @Test func theOnlyLaneHoldsBackTheClientHoweverLong() throws {
        let test = try shard("", inFlight: 4)
        let (connection, socket) = try test.open()
        for number in 1...4 { test.receive(connection, #"{"type":"a","id":"\#(number)"}"#) }
        test.turn()
        for _ in 0..<5 { test.shard.sweep() }
        #expect(socket.isPaused && socket.takeTexts().isEmpty)
    }

    @Test func whatCannotLeaveForOneLaneHoldsUpNoOther() throws {
        let test = try shard()
        let (connection, socket) = try test.open()
        let echo = test.shard.settings.lanes.index(for: "echo.it")
        test.forwarder.setCrowded([echo])
        test.receive(connection, #"{"type":"echo.it","id":"e1"}"#)
        test.receive(connection, #"{"type":"room.send","id":"r1"}"#)
        test.turn()
        #expect(try ids(test) == ["r1"])
        for _ in 0..<2 { test.shard.sweep() }
        #expect(!socket.isPaused)
        test.receive(connection, #"{"type":"echo.it","id":"e2"}"#)
        #expect(socket.takeTexts().filter { $0.contains(#""re":"e2","ok":false"#) }.count == 1)
        test.done(connection, 2)
        test.receive(connection, #"{"type":"room.send","id":"r2"}"#)
        test.turn()
        #expect(try ids(test) == ["r2"])
        var answers: [HTTPAnswer] = []
        test.shard.request(HTTPMessage(user: "u", type: "echo.it", id: "h", message: Array("{}".utf8))) { answers.append($0) }
        #expect(answers == [.unavailable])
        test.forwarder.setCrowded([])
        test.shard.relieved()
        #expect(try ids(test) == ["e1"])
    }

    @Test func aLostBatchIsNamedByItsLaneAndTheOthersGoOn() throws {
        let test = try shard()
        let (connection, socket) = try test.open()
        test.receive(connection, #"{"type":"echo.it","id":"e1"}"#)
        test.turn()
        for number in 1...61 {
            test.now += second
            test.shard.sweep()
            #expect(test.late.count == (number < 10 ? 0 : 1), "told once, at its deadline")
        }
        test.receive(connection, #"{"type":"echo.it","id":"e2"}"#)
        test.turn()
        #expect(test.lost == [UnansweredBatch(lane: "echo", connection: connection.name, ordinals: 2..<3, isGivenUp: true)])
        #expect(try ids(test) == ["e1", "e2"] && socket.closed == nil)
    }

    @Test func aMessageThatTheBrokerDoesNotTakeIsAnsweredAlone() throws {
        let test = try shard()
        let (connection, socket) = try test.open()
        for number in 1...2 { test.receive(connection, #"{"type":"room.send","id":"\#(number)"}"#) }
        var answers: [HTTPAnswer] = []
        test.shard.request(HTTPMessage(user: "u", type: "a", id: "h", message: Array("{}".utf8))) { answers.append($0) }
        test.turn()
        let request = try #require(try test.forwarder.takeEnvelopes().first { $0.id == "h" })
        let http = try #require(ConnectionID(request.connection ?? ""))
        test.shard.apply([.undelivered(connection.id, ordinals: [2], .tooLarge), .undelivered(http, ordinals: [1], .tooLarge)])
        #expect(socket.takeTexts().count { $0.contains(#""re":"1","ok":false,"error":{"code":"too_large""#) } == 1)
        guard case .reply(let body?, nil) = try #require(answers.first) else { return #expect(Bool(false), "no reply") }
        #expect(String(decoding: body, as: UTF8.self).hasPrefix(#"{"re":"h","ok":false,"error":{"code":"too_large""#))
        test.done(connection, 3, #"{"re":"2","ok":true}"#)
        #expect(socket.takeTexts() == [#"{"re":"2","ok":true}"#])
    }
}
