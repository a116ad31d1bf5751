import SparqWire
import Testing

@testable import SparqWorker

/// What a handler brings is looked at before anything of it is committed.
@Suite struct DataLimitsTests {
    private struct Text: EventData {
        static let eventType = "text"
        var text: String
    }

    private struct Raw: EventData, JSONWritable {
        static let eventType = "raw"
        var json: [UInt8]
        func encode(to encoder: any Encoder) throws {}
        func write(to writer: inout JSONWriter) { writer.raw(json) }
    }

    private indirect enum Nest: Encodable, Sendable {
        case end, more(Nest)
        func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            if case .more(let inner) = self { try container.encode(inner) }
        }
        static func of(_ levels: Int) -> Nest { levels == 1 ? .end : .more(.of(levels - 1)) }
    }

    private static func nested(_ levels: Int) -> [UInt8] {
        Array((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8)
    }
    private static func text(_ bytes: Int) -> Text { Text(text: String(repeating: "x", count: bytes - #"{"text":""}"#.utf8.count)) }

    private func isTooLarge(_ effects: [Effect]) throws -> Bool {
        do {
            _ = try HandledMessage(envelope(), effects: effects)
            return false
        } catch let refusal as Refusal {
            #expect(refusal.code == .tooLarge)
            return true
        }
    }

    @Test func eachDatumHasALimit() throws {
        let room = Topic.room("a")
        let (fits, isOver) = (Self.text(DataLimits.bytes), Self.text(DataLimits.bytes + 1))
        for effect: (Text) -> Effect in [{ .reply($0) }, { .append(to: room, $0) }, { .publish(to: room, $0) }, { .send($0) }] {
            #expect(try !isTooLarge([effect(fits)]))
            #expect(try isTooLarge([effect(isOver)]))
        }
    }

    @Test func manySmallOnesHaveALimitTogether() throws {
        let part = Self.text(100_000)
        for effect: Effect in [.append(to: .room("a"), part), .publish(to: .room("a"), part), .send(part), .reply(part)] {
            #expect(try !isTooLarge(Array(repeating: effect, count: 80)))
            #expect(try isTooLarge(Array(repeating: effect, count: 90)))
        }
        let topics = (0..<100_000).map { Effect.subscribe(.room("\($0)")) }
        #expect(try !isTooLarge(Array(topics.prefix(1000))) && isTooLarge(topics))
    }

    @Test func whatALineHoldsOfOneMessageIsNoMoreThanABrokerTakes() throws {
        let effects: [Effect] = Array(repeating: .send(Self.text(100_000)), count: 80) + (0..<500).map { .subscribe(.room("\"\($0)")) }
        let message = SettledMessage.committed(CommittedMessage(try HandledMessage(envelope(), effects: effects).rest))
        let messages = DeliveryPlan([message, message], directory: DirectoryView(), limit: 256 << 10).messages
        #expect(messages.count == 2 && messages.allSatisfy { $0.body.count < 12 << 20 })
    }

    @Test func depthIsBoundedForRawAndForEncodedData() throws {
        #expect(try !isTooLarge([.reply(RawJSON(Self.nested(JSONDepth.data)[...]))]))
        #expect(try isTooLarge([.reply(RawJSON(Self.nested(JSONDepth.data + 1)[...]))]))
        #expect(try !isTooLarge([.reply(Nest.of(JSONDepth.data))]))
        #expect(try isTooLarge([.reply(Nest.of(JSONDepth.data + 1))]))
        #expect(try isTooLarge([.append(to: .room("a"), Raw(json: Self.nested(JSONDepth.data + 1)))]))
        for text in ["", "[", "{} {}", "\u{0}", "{\"a\":01}"] {
            #expect(throws: InvalidData.self, "\(text)") { try isTooLarge([.reply(RawJSON(Array(text.utf8)[...]))]) }
        }
        #expect(throws: InvalidData.self) { try isTooLarge([.append(to: .room("a"), Raw(json: [0xFF]))]) }
    }

    /// Whatever a worker may write: a front reads it.
    @Test func theDeepestDataIsReadableInEveryLine() throws {
        let deepest = Self.nested(JSONDepth.data)[...]
        let at = Array("2026-01-01T00:00:00.000Z".utf8)[...]
        let event = EventBody.durable(type: "t", topic: "room:a", seq: 1, at: at, data: deepest)
        let page = Page(topic: "room:a", after: 0, first: 1, head: 1, version: 1, connection: nil, events: [event])
        let deliveries: [Delivery] = [
            .event(Event(topic: "room:a", seq: 1, body: event)), .page(page),
            .done(
                Done(
                    connection: "c",
                    ordinal: 1,
                    reply: ReplyBody.repeated(ReplyBody.success(id: "m", data: deepest), mismatch: false),
                    session: nil
                )
            ),
            .send(connection: "c", ordinal: 1, body: EventBody.ephemeral(type: "t", topic: nil, data: deepest)),
        ]
        for delivery in deliveries {
            var writer = JSONWriter()
            delivery.encode(into: &writer)
            #expect(try Delivery(line: writer.bytes.dropLast()) == delivery)
        }
        // A client's deepest message fits, with room for what handlers put around it.
        let message = Array("{\"type\":\"t\",\"x\":".utf8) + Self.nested(JSONDepth.message - 1) + [UInt8(ascii: "}")]
        #expect(try FrameScanner.scan(message).type == "t")
        #expect(try !isTooLarge([.reply(RawJSON(message[...])), .append(to: .room("a"), Raw(json: message))]))
    }

    @Test func whatTheLogHoldsStopsNoTopic() throws {
        let at = Array("2026-01-01T00:00:00.000Z".utf8)[...]
        func logged(_ data: [UInt8]) -> String { EventBody.logged(type: "t", topic: "room:a", seq: 7, at: at, data: data[...]).text }
        #expect(logged(Array("{}".utf8)) == #"{"type":"t","topic":"room:a","seq":7,"at":"2026-01-01T00:00:00.000Z","data":{}}"#)
        let start = #"{"type":"t","topic":"room:a","seq":7,"at":"2026-01-01T00:00:00.000Z","data":null,"omitted":"#
        #expect(logged(Self.nested(JSONDepth.data + 1)) == start + "\"too_deep\"}")
        #expect(logged(Self.nested(100_000)) == start + "\"too_deep\"}")
        #expect(logged(Array("{".utf8)) == start + "\"not_json\"}")
        #expect(logged(Array("\"\(String(repeating: "x", count: DataLimits.sum))\"".utf8)) == start + "\"too_large\"}")
        // The same goes for a reply that was noted.
        var known = Repeats.Known(reply: Array("{\"re\":\"m1\",\"ok\":true,\"data\":".utf8) + Self.nested(200) + [0x7D], mismatch: false)
        #expect(known.message(of: envelope()).rest.reply?.text == #"{"re":"m1","ok":true,"repeat":true}"#)
        known.reply = Array(#"{"re":"m1","ok":true,"data":[1]}"#.utf8)
        #expect(known.message(of: envelope()).rest.reply?.text == #"{"re":"m1","ok":true,"data":[1],"repeat":true}"#)
    }

    /// A broker that takes less than the limits: nothing is said twice for ever.
    @Test func whatABrokerDoesNotTakeAloneGoesWithLessInIt() throws {
        let at = Array("2026-01-01T00:00:00.000Z".utf8)[...]
        let data = Array("\"\(String(repeating: "x", count: 1000))\"".utf8)[...]
        func body(_ seq: Int) -> ArraySlice<UInt8> { EventBody.durable(type: "t", topic: "room:a", seq: seq, at: at, data: data) }
        func omitted(_ seq: Int) -> ArraySlice<UInt8> { EventBody.omitted(type: "t", topic: "room:a", seq: seq, at: at, "too_large") }
        #expect(
            Delivery.event(Event(topic: "room:a", seq: 3, body: body(3))).smaller == [
                .event(Event(topic: "room:a", seq: 3, body: omitted(3)))
            ]
        )
        #expect(Delivery.event(Event(topic: "room:a", seq: nil, body: body(3))).smaller == nil)
        var page = Page(topic: "room:a", after: 0, first: 1, head: 5, version: 1, connection: "c", events: (1...5).map(body))
        for count in [2, 1] {
            page = try #require(page.halved)
            #expect(page.events == (1...count).map(body) && page.head == 5)
        }
        #expect(page.halved?.events == [omitted(1)])
        let reply = ReplyBody.success(id: "m", data: data)
        let done = Delivery.done(Done(connection: "c", ordinal: 4, reply: reply, session: .begin(user: "u")))
        guard case .done(let smaller) = try #require(done.smaller?.first) else { return }
        #expect(
            smaller.reply?.text.hasPrefix(#"{"re":"m","ok":false,"error":{"code":"too_large""#) == true
                && smaller.session == .begin(user: "u")
        )
        let grants = (0..<3).map { Grant(topic: "room:\($0)", cursor: 0, head: 0) }
        let parts = try #require(Delivery.subscribe(connection: "c", ordinal: 1, grants: grants).smaller)
        #expect(parts.count == 2)
        #expect(Delivery.lease(.renewed).smaller == nil)
    }
}

extension Page {
    fileprivate var halved: Page? {
        guard case .page(let page)? = Delivery.page(self).smaller?.first else { return nil }
        return page
    }
}
