import Foundation
import Testing

@testable import SparqWire

@Suite struct CodecTests {
    static let hostile = [
        "", "plain", "quote\"back\\slash", "line\nbreak\r\t\u{0}\u{1F}", "ünïcödé 😀", "{\"kind\":\"event\"}",
        String(repeating: "x", count: 999),
    ]

    private func body(_ text: String) -> ArraySlice<UInt8> {
        var writer = JSONWriter()
        writer.raw("{\"t\":")
        writer.string(text)
        writer.raw("}")
        return writer.bytes[...]
    }

    @Test(arguments: hostile)
    func envelopesComeBackAsTheyWere(text: String) throws {
        let envelope = Envelope(
            node: "f-1" + text,
            connection: "c0-" + text,
            ordinal: 17,
            user: text,
            address: "10.0.0.1" + text,
            receivedAt: 1_767_225_600_000,
            type: "t" + text,
            id: text,
            message: body(text)
        )
        var writer = JSONWriter()
        envelope.encode(into: &writer)
        let system = Envelope(
            node: "f-1",
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: 0,
            type: "$lease",
            id: nil,
            message: body(text)
        )
        system.encode(into: &writer)
        let lines = NDJSON.lines(writer.bytes)
        #expect(lines.count == 2)
        #expect(try Envelope(line: lines[0]) == envelope)
        #expect(try Envelope(line: lines[1]) == system)
        for line in lines { _ = try JSONSerialization.jsonObject(with: Data(line)) }
    }

    @Test func envelopeKeysComeInAnyOrderAndUnknownOnesAreSkipped() throws {
        let line = #"{"message":{"a":1},"future":[{"x":null}],"type":"a","at":5,"user":null,"node":"n"}"#
        let envelope = try Envelope(line: Array(line.utf8)[...])
        #expect(envelope.type == "a" && envelope.node == "n" && envelope.user == nil && envelope.receivedAt == 5)
        #expect(String(decoding: envelope.message, as: UTF8.self) == #"{"a":1}"#)
    }

    @Test(arguments: [
        #"{"type":"a","node":"n"}"#, #"{"message":{},"node":"n"}"#, #"[]"#, #"{"node":"n","type":"a","message":{}"#, #"{"node":1}"#,
    ])
    func brokenEnvelopesAreErrors(line: String) {
        #expect(throws: JSONError.self) { try Envelope(line: Array(line.utf8)[...]) }
    }

    @Test func aMessageWithLineBreaksStaysOnOneLine() throws {
        let message = Array("{\"a\":\r\n 1\n}".utf8)[...]
        var writer = JSONWriter()
        Envelope(node: "n", connection: nil, ordinal: 0, user: nil, receivedAt: 0, type: "a", id: nil, message: message).encode(
            into: &writer
        )
        #expect(NDJSON.lines(writer.bytes).count == 1)
        let back = try Envelope(line: NDJSON.lines(writer.bytes)[0])
        #expect(String(decoding: back.message, as: UTF8.self) == "{\"a\":   1 }")
    }

    @Test(arguments: hostile)
    func deliveriesComeBackAsTheyWere(text: String) throws {
        let deliveries: [Delivery] = [
            .event(Event(topic: "room:" + text, seq: 42, body: body(text))),
            .event(Event(topic: "room:" + text, seq: nil, body: body(text))),
            .done(Done(connection: "c" + text, ordinal: 9, reply: body(text), session: .begin(user: text))),
            .done(Done(connection: "c" + text, ordinal: 9, reply: nil, session: .end)),
            .done(Done(connection: "c", ordinal: 1)),
            .postponed(connection: "c" + text, ordinal: 3),
            .send(connection: "c" + text, body: body(text)),
            .subscribe(connection: "c", grants: [Grant(topic: text, cursor: 0, head: 7), Grant(topic: "b", cursor: 7, head: 7)]),
            .unsubscribe(.user(text), topics: [text, "b"]),
            .unsubscribe(.user(text), origin: text, topics: ["b"]),
            .unsubscribe(.connection(text), topics: []),
            .send(connection: "c", ordinal: 4, body: body(text)),
            .subscribe(connection: text, ordinal: 5, grants: [Grant(topic: "b", cursor: 7, head: 7)]),
            .unsubscribe(.connection("c"), ordinal: 6, topics: [text]),
            .disconnect(.connection("c"), ordinal: 7, code: 4003, reason: text),
            .disconnect(.user(text), code: 4003, reason: text),
            .disconnect(.user(text), origin: text, code: 4003, reason: text),
            .page(Page(topic: text, after: 3, first: 5, head: 9, version: 2, connection: nil, events: [body(text), body("2")])),
            .page(Page(topic: text, after: 3, first: 4, head: 3, version: 0, connection: text, events: [])),
            .synced(Synced(version: 7, behind: [])),
            .synced(Synced(version: 7, behind: [text, "b"])),
            .lease(.resync),
            .differs(Difference(buckets: [], topics: [])),
            .differs(Difference(buckets: [0, 255], topics: [text, "b"])),
        ]
        var writer = JSONWriter()
        for delivery in deliveries { delivery.encode(into: &writer) }
        let lines = NDJSON.lines(writer.bytes)
        #expect(lines.count == deliveries.count)
        for (line, delivery) in zip(lines, deliveries) {
            #expect(try Delivery(line: line) == delivery)
            _ = try JSONSerialization.jsonObject(with: Data(line))
        }
    }

    @Test func integersAreWrittenAsTheyAre() {
        for value in [0, 1, 9, 10, 12_345, Int.max, -1, Int.min] {
            var writer = JSONWriter()
            writer.integer(value)
            #expect(String(decoding: writer.bytes, as: UTF8.self) == String(value))
        }
    }
}
