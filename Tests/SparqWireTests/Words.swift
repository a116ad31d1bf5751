import Foundation
import SparqWire

/// A word of the wire: how a random value of it is made, written and read.
struct Word: Sendable, CustomStringConvertible {
    /// A value, written and read again.
    struct Trip {
        var text: [UInt8]
        var cameBack: Bool
    }

    let description: String
    /// Makes a value, writes it, reads it, and compares.
    let trip: @Sendable (inout Values) throws -> Trip
    /// Reads a text, and writes what was read.
    let read: @Sendable (ArraySlice<UInt8>) throws -> Void

    init<Value: Equatable & Sendable>(
        _ name: String,
        make: @escaping @Sendable (inout Values) -> Value,
        encode: @escaping @Sendable (Value, inout JSONWriter) -> Void,
        decode: @escaping @Sendable (ArraySlice<UInt8>) throws -> Value
    ) {
        description = name
        trip = { values in
            let value = make(&values)
            var writer = JSONWriter()
            encode(value, &writer)
            var text = writer.bytes[...]
            if text.last == 0x0A { text.removeLast() }
            return Trip(text: Array(text), cameBack: try decode(text) == value)
        }
        read = { text in
            var writer = JSONWriter()
            encode(try decode(text), &writer)
        }
    }

    init<Message: SystemMessage & Equatable>(make: @escaping @Sendable (inout Values) -> Message) {
        self.init(
            Message.type,
            make: make,
            encode: { $0.encode(into: &$1) },
            decode: { try JSONDecoder().decode(Message.self, from: Data($0)) }
        )
    }

    static let all: [Word] =
        client + system + [
            Word("envelope", make: { $0.envelope() }, encode: { $0.encode(into: &$1) }, decode: { try Envelope(line: $0) }),
            Word("delivery", make: { $0.delivery() }, encode: { $0.encode(into: &$1) }, decode: { try Delivery(line: $0) }),
        ]

    /// What clients say and hear.
    static let client: [Word] = [
        Word("reply", make: { $0.reply() }, encode: { $0.encode(into: &$1) }, decode: { try ReplyBody(decoding: $0) }),
        Word("event", make: { $0.event() }, encode: { $0.encode(into: &$1) }, decode: { try EventBody(decoding: $0) }),
        Word("answers", make: { $0.answers() }, encode: { $0.encode(into: &$1) }, decode: { try SubscribeReply(decoding: $0) }),
        Word("$welcome", make: { $0.welcome() }, encode: { $0.encode(into: &$1) }, decode: { try WelcomeFrame(decoding: $0) }),
        Word("$subscribed", make: { $0.subscribed() }, encode: { $0.encode(into: &$1) }, decode: { try SubscribedFrame(decoding: $0) }),
        Word(
            "$reconnect",
            make: { ReconnectFrame(afterMilliseconds: $0.integer()) },
            encode: { $0.encode(into: &$1) },
            decode: { try ReconnectFrame(decoding: $0) }
        ),
        Word("$truncated", make: { $0.truncated() }, encode: { $0.encode(into: &$1) }, decode: { try TruncatedFrame(decoding: $0) }),
        Word("$ping", make: { _ in PingMessage() }, encode: { $0.encode(into: &$1) }, decode: { try PingMessage(decoding: $0) }),
        Word("$pong", make: { _ in PongFrame() }, encode: { $0.encode(into: &$1) }, decode: { try PongFrame(decoding: $0) }),
        Word("frame", make: { $0.serverFrame() }, encode: { $0.encode(into: &$1) }, decode: { try ServerFrame(decoding: $0) }),
        Word(
            "message",
            make: { Frame(type: $0.name(), id: $0.maybe { $0.name() }) },
            encode: { $0.encode(fields: Array(#" {"x":[{"type":1}]}"#.utf8).dropFirst(), into: &$1) },
            decode: { try FrameScanner.scan($0) }
        ),
        Word(
            "subscribe",
            make: { $0.subscribe() },
            encode: { $1.raw($0.json) },
            decode: { try JSONDecoder().decode(SubscribeMessage.self, from: Data($0)) }
        ),
        Word(
            "unsubscribe",
            make: { UnsubscribeMessage(id: $0.maybe { $0.name() }, topics: $0.list { $0.text() }) },
            encode: { $1.raw($0.json) },
            decode: { try JSONDecoder().decode(UnsubscribeMessage.self, from: Data($0)) }
        ),
    ]

    /// What fronts and workers say by themselves.
    static let system: [Word] = [
        Word { ConnectRequest(agent: $0.maybe { $0.text() }, ip: $0.maybe { $0.text() }, resume: $0.flag() ? true : nil) },
        Word { _ in DisconnectRequest() },
        Word { $0.sync() },
        Word { LeaveRequest(version: $0.integer(), topics: $0.list { $0.text() }) },
        Word { ReadRequest(topic: $0.text(), after: $0.integer(), connection: $0.text()) },
        Word { $0.lease() },
        Word { PresenceRequest(users: $0.list { $0.text() }) },
    ]
}
