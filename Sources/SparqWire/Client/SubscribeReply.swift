/// The `data` of the reply to `subscribe`: what became of each topic (docs/PROTOCOL.md, "Topics").
package struct SubscribeReply: Equatable, Sendable {
    /// What became of one topic.
    package enum Answer: Equatable, Sendable {
        /// The client is subscribed. `seq` is the topic's last one at that moment.
        case subscribed(seq: Int)
        /// It is not; the other topics of the request are not concerned.
        case refused(ErrorBody)
    }

    /// A topic and its answer.
    package struct Entry: Equatable, Sendable {
        package var topic: String
        package var answer: Answer

        package init(topic: String, answer: Answer) {
            self.topic = topic
            self.answer = answer
        }
    }

    /// The answers, in the order of the text.
    package var entries: [Entry]

    package init(_ entries: [Entry]) { self.entries = entries }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"topics\":{")
        for (index, entry) in entries.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            Self.encode(entry.topic, entry.answer, into: &writer)
        }
        writer.raw("}}")
    }

    /// Reads the text. Unknown keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var entries: [Entry]?
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            guard JSONCursor.matches(key, "topics", in: bytes) else {
                try cursor.skipValue(depth: 1)
                return
            }
            var found: [Entry] = []
            try cursor.members(in: bytes) { name, cursor throws(JSONError) in
                found.append(Entry(topic: JSONCursor.text(name, in: bytes), answer: try Answer(decoding: &cursor, in: bytes)))
            }
            entries = found
        }
        guard let entries else { throw JSONError(.missingKey, at: 0) }
        self.init(entries)
    }

    fileprivate static func encode(_ topic: String, _ answer: Answer, into writer: inout JSONWriter) {
        writer.string(topic)
        switch answer {
        case .subscribed(let seq):
            writer.raw(":{\"ok\":true,\"seq\":")
            writer.integer(seq)
        case .refused(let error):
            writer.raw(":{\"ok\":false,\"error\":")
            error.encode(into: &writer)
        }
        writer.byte(UInt8(ascii: "}"))
    }
}

extension SubscribeReply.Answer {
    fileprivate init(decoding cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var isOK: Bool?
        var seq: Int?
        var error: ErrorBody?
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            if JSONCursor.matches(key, "ok", in: bytes) {
                isOK = try cursor.flag()
            } else if JSONCursor.matches(key, "seq", in: bytes) {
                seq = try cursor.optionalInteger(in: bytes)
            } else if JSONCursor.matches(key, "error", in: bytes) {
                error = try ErrorBody(decoding: &cursor, in: bytes)
            } else {
                try cursor.skipValue(depth: 3)
            }
        }
        guard let isOK else { throw JSONError(.missingKey, at: cursor.position) }
        self = isOK ? .subscribed(seq: seq ?? 0) : .refused(error ?? ErrorBody(.internal, ""))
    }
}

extension SubscribeReply {
    /// Writes the text topic by topic.
    package struct Writer {
        private var json: JSONWriter
        private var isEmpty = true

        /// - Parameter count: How many topics there will be, about.
        package init(topics count: Int) {
            json = JSONWriter(reservingCapacity: 64 + count * 48)
            json.raw("{\"topics\":{")
        }

        package mutating func add(_ topic: String, _ answer: Answer) {
            if !isEmpty { json.byte(UInt8(ascii: ",")) }
            isEmpty = false
            SubscribeReply.encode(topic, answer, into: &json)
        }

        /// The whole text.
        package mutating func finish() -> ArraySlice<UInt8> {
            json.raw("}}")
            return json.bytes[...]
        }
    }

    /// A whole reply with more topics in front, which are all refused for one reason. An error stays as it is: it concerns all of the request.
    package static func adding(_ refused: [String], _ error: ErrorBody, to reply: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        // In a text within the reply the quotation marks would be escaped.
        let key = Array("\"topics\":{".utf8)
        guard let end = reply.indices.first(where: { reply[$0...].starts(with: key) }).map({ $0 + key.count }) else { return reply }
        var writer = JSONWriter(reservingCapacity: reply.count + refused.count * 128)
        writer.raw(reply[..<end])
        for (index, topic) in refused.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            encode(topic, .refused(error), into: &writer)
        }
        let isEmpty = end < reply.endIndex && reply[end] == UInt8(ascii: "}")
        if !isEmpty { writer.byte(UInt8(ascii: ",")) }
        writer.raw(reply[end...])
        return writer.bytes[...]
    }
}
