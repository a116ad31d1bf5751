/// `subscribe`: what a client sends to hear topics (docs/PROTOCOL.md, "Topics").
package struct SubscribeMessage: Equatable, Sendable {
    @inlinable package static var type: String { "subscribe" }

    /// Whether a message of this type names topics, and so needs a socket.
    @inlinable package static func namesTopics(_ type: String) -> Bool { type == Self.type || type == UnsubscribeMessage.type }

    /// Where a subscriber stands.
    package enum Cursor: Equatable, Sendable {
        /// Whatever comes from now on.
        case now
        /// What comes after this `seq`.
        case after(Int)
        /// No whole number; refused for this topic alone.
        case malformed
    }

    /// The client's own `id` of the message.
    package var id: String?
    /// The topics, with where the client stands in each.
    package var topics: [String: Cursor]

    package init(id: String?, topics: [String: Cursor]) {
        self.id = id
        self.topics = topics
    }

    /// The text, with the topics in order.
    package var json: [UInt8] {
        var writer = Writer(id: id)
        for (topic, cursor) in topics.sorted(by: { $0.key < $1.key }) { writer.add(topic, cursor) }
        return writer.finish()
    }
}

extension SubscribeMessage: Decodable {
    private enum CodingKeys: CodingKey { case id, topics }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(String.self, forKey: .id)
        // Dictionaries drop null values of optionals; the cursor's own decoding keeps them.
        topics = try container.decode([String: Cursor].self, forKey: .topics)
    }
}

extension SubscribeMessage.Cursor: Decodable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .now
        } else if let seq = try? container.decode(Int.self) {
            self = .after(seq)
        } else {
            self = .malformed
        }
    }
}

extension SubscribeMessage {
    /// Writes the text topic by topic.
    package struct Writer {
        private var json: JSONWriter
        private var isEmpty = true

        package init(id: String?) {
            json = JSONWriter()
            json.raw("{\"type\":\"subscribe\"")
            if let id {
                json.raw(",\"id\":")
                json.string(id)
            }
            json.raw(",\"topics\":{")
        }

        package mutating func add(_ topic: String, _ cursor: Cursor) {
            open(topic)
            switch cursor {
            case .now: json.raw("null")
            case .after(let seq): json.integer(seq)
            case .malformed: json.raw("false")
            }
        }

        /// A cursor as a client wrote it. If it is none, a worker says so.
        package mutating func add(_ topic: String, text: ArraySlice<UInt8>) {
            open(topic)
            json.raw(text)
        }

        /// The whole text.
        package mutating func finish() -> [UInt8] {
            json.raw("}}")
            return json.bytes
        }

        private mutating func open(_ topic: String) {
            if !isEmpty { json.byte(UInt8(ascii: ",")) }
            isEmpty = false
            json.string(topic)
            json.byte(UInt8(ascii: ":"))
        }
    }
}

/// `unsubscribe`: what a client sends to hear topics no more.
package struct UnsubscribeMessage: Decodable, Equatable, Sendable {
    @inlinable package static var type: String { "unsubscribe" }

    /// The client's own `id` of the message.
    package var id: String?
    /// The topics.
    package var topics: [String]

    package init(id: String?, topics: [String]) {
        self.id = id
        self.topics = topics
    }

    /// The text.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"type\":\"unsubscribe\"")
        if let id {
            writer.raw(",\"id\":")
            writer.string(id)
        }
        writer.raw(",\"topics\":")
        writer.array(topics) { topic, writer in writer.string(topic) }
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }
}
