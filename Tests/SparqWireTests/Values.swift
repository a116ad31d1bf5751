import SparqWire

/// Random values of all words; the same seed gives the same values.
struct Values {
    private var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    mutating func flag() -> Bool { Bool.random(using: &random) }

    mutating func maybe<Value>(_ make: (inout Values) -> Value) -> Value? { flag() ? make(&self) : nil }

    mutating func list<Value>(_ make: (inout Values) -> Value) -> [Value] { (0..<below(4)).map { _ in make(&self) } }

    private mutating func dictionary<Value>(_ make: (inout Values) -> Value) -> [String: Value] {
        Dictionary(list { ($0.text(), make(&$0)) }) { $1 }
    }

    mutating func integer() -> Int {
        switch below(4) {
        case 0: below(10)
        case 1: Int.random(in: .min ... .max, using: &random)
        case 2: [Int.max, .min, -1, 0].randomElement(using: &random) ?? 0
        default: below(1 << 40)
        }
    }

    /// Any text, with all that JSON must escape.
    mutating func text() -> String {
        let parts = [
            "", "plain", "quote\"", "back\\slash", "\n\r\t", "\u{0}\u{1F}\u{7F}", "ünïcödé", "e\u{301}", "😀", "{\"kind\":\"event\"}",
            "\"topics\":{",
            "/", "\u{2028}", String(repeating: "x", count: 70),
        ]
        return (0..<below(4)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
    }

    /// What can be a message's `type` or `id`.
    mutating func name() -> String {
        let parts = ["a", "room.send", "quote\"", "back\\slash", "ü", "😀", "/", " "]
        return "n" + (0..<below(4)).map { _ in parts.randomElement(using: &random) ?? "" }.joined()
    }

    /// Any JSON value.
    mutating func json(depth: Int = 0) -> ArraySlice<UInt8> {
        var writer = JSONWriter()
        write(&writer, depth)
        return writer.bytes[...]
    }

    private mutating func write(_ writer: inout JSONWriter, _ depth: Int) {
        switch below(depth > 3 ? 4 : 6) {
        case 0: writer.integer(integer())
        case 1: writer.string(text())
        case 2: writer.raw("null")
        case 3: writer.raw("-1.5e+3")
        case 4:
            writer.raw("[")
            for index in 0..<below(3) {
                if index > 0 { writer.raw(", ") }
                write(&writer, depth + 1)
            }
            writer.raw("]")
        default:
            writer.raw("{")
            for index in 0..<below(3) {
                if index > 0 { writer.raw(",") }
                writer.string(text())
                writer.raw(" : ")
                write(&writer, depth + 1)
            }
            writer.raw("}")
        }
    }
}

extension Values {
    mutating func error() -> ErrorBody { ErrorBody(ErrorCode(rawValue: text()), text()) }

    mutating func reply() -> ReplyBody {
        let isRepeat = flag()
        return ReplyBody(
            re: maybe { $0.text() },
            flag() ? .success(data: maybe { $0.json() }) : .failure(error()),
            isRepeat: isRepeat,
            isMismatch: isRepeat && flag()
        )
    }

    mutating func event(type: String? = nil) -> EventBody {
        EventBody(
            type: type ?? text(),
            topic: maybe { $0.text() },
            seq: maybe { $0.integer() },
            at: maybe { $0.text() },
            data: maybe { $0.json() },
            omitted: maybe { EventBody.Omission(rawValue: $0.text()) }
        )
    }

    mutating func answers() -> SubscribeReply {
        SubscribeReply(list { .init(topic: $0.text(), answer: $0.flag() ? .subscribed(seq: $0.integer()) : .refused($0.error())) })
    }

    mutating func welcome() -> WelcomeFrame {
        var limits = WelcomeFrame.Limits()
        (limits.messageBytes, limits.topics, limits.inFlight) = (integer(), integer(), integer())
        (limits.messagesPerSecond, limits.burst) = (integer(), integer())
        return WelcomeFrame(
            connection: text(),
            user: maybe { $0.text() },
            node: text(),
            heartbeatMilliseconds: integer(),
            limits: limits
        )
    }

    mutating func subscribed() -> SubscribedFrame {
        SubscribedFrame(list { .init(topic: $0.text(), cursor: $0.integer()) }, isOffer: flag())
    }

    mutating func truncated() -> TruncatedFrame { TruncatedFrame(topic: text(), after: integer(), first: integer()) }

    mutating func serverFrame() -> ServerFrame {
        switch below(7) {
        case 0: .welcome(welcome())
        case 1: .subscribed(subscribed())
        case 2: .reconnect(ReconnectFrame(afterMilliseconds: integer()))
        case 3: .truncated(truncated())
        case 4: .pong(PongFrame())
        case 5: .reply(reply())
        default: .event(event(type: flag() ? name() : "$future"))
        }
    }

    mutating func subscribe() -> SubscribeMessage {
        SubscribeMessage(
            id: maybe { $0.name() },
            topics: dictionary { $0.flag() ? .after($0.integer()) : $0.flag() ? .now : .malformed }
        )
    }

    mutating func sync() -> SyncRequest {
        // An empty dictionary of these is left out.
        let joined = dictionary { $0.integer() }
        return SyncRequest(
            version: integer(),
            topics: dictionary { $0.integer() },
            joined: joined.isEmpty ? nil : joined,
            brief: flag() ? true : nil
        )
    }

    mutating func lease() -> LeaseRequest {
        LeaseRequest(
            incarnation: text(),
            version: integer(),
            topicCount: integer(),
            checksum: integer(),
            settled: flag(),
            leaving: flag(),
            sums: maybe { $0.list { $0.integer() } }
        )
    }

    mutating func envelope() -> Envelope {
        let connection = maybe { $0.text() }
        return Envelope(
            node: name(),
            connection: connection,
            // Without a connection there is nothing to count.
            ordinal: connection == nil ? 0 : integer(),
            user: maybe { $0.text() },
            address: maybe { $0.text() },
            receivedAt: integer(),
            type: name(),
            id: maybe { $0.text() },
            message: json()
        )
    }

    private mutating func target() -> Target { flag() ? .connection(text()) : .user(text()) }

    mutating func delivery() -> Delivery {
        switch below(11) {
        case 0: .event(Event(topic: text(), seq: maybe { $0.integer() }, body: json()))
        case 1:
            .done(
                Done(
                    connection: text(),
                    ordinal: integer(),
                    reply: maybe { $0.json() },
                    session: maybe { $0.flag() ? .begin(user: $0.text()) : .end }
                )
            )
        case 2: .postponed(connection: text(), ordinal: integer())
        case 3: .send(connection: text(), ordinal: maybe { $0.integer() }, body: json())
        case 4:
            .subscribe(
                connection: text(),
                ordinal: maybe { $0.integer() },
                grants: list { Grant(topic: $0.text(), cursor: $0.integer(), head: $0.integer()) }
            )
        case 5: .unsubscribe(target(), ordinal: maybe { $0.integer() }, origin: maybe { $0.text() }, topics: list { $0.text() })
        case 6: .disconnect(target(), ordinal: maybe { $0.integer() }, origin: maybe { $0.text() }, code: integer(), reason: text())
        case 7:
            .page(
                Page(
                    topic: text(),
                    after: integer(),
                    first: integer(),
                    head: integer(),
                    version: integer(),
                    connection: maybe { $0.text() },
                    events: list { $0.json() }
                )
            )
        case 8: .synced(Synced(version: integer(), behind: list { $0.text() }))
        case 9: .lease(flag() ? .renewed : .resync)
        default: .differs(Difference(buckets: list { $0.integer() }, topics: list { $0.text() }))
        }
    }
}
