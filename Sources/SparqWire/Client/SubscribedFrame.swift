/// `$subscribed` and `$offered`: topics that the server subscribed the client to, or would have if the client were new, with the cursors to keep.
package struct SubscribedFrame: Equatable, Sendable {
    @inlinable package static var type: String { "$subscribed" }
    @inlinable package static var offerType: String { "$offered" }

    /// A topic, and the `seq` that the client has of it.
    package struct Entry: Equatable, Sendable {
        package var topic: String
        package var cursor: Int

        package init(topic: String, cursor: Int) {
            self.topic = topic
            self.cursor = cursor
        }
    }

    /// The topics, in the order of the text.
    package var entries: [Entry]
    /// The client subscribes itself to what it does not have yet.
    package var isOffer: Bool

    /// A frame of its parts.
    package init(_ entries: [Entry], isOffer: Bool) {
        self.entries = entries
        self.isOffer = isOffer
    }

    /// The cursors by topic.
    package var topics: [String: Int] { Dictionary(entries.lazy.map { ($0.topic, $0.cursor) }) { $1 } }

    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        Self.open(isOffer, &writer)
        for (index, entry) in entries.enumerated() { Self.member(index, entry.topic, entry.cursor, &writer) }
        writer.raw("}}")
    }

    /// The whole text for what a worker grants.
    package static func text(_ grants: [Grant], isOffer: Bool) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + grants.count * 40)
        open(isOffer, &writer)
        for (index, grant) in grants.enumerated() { member(index, grant.topic, grant.cursor, &writer) }
        writer.raw("}}")
        return writer.bytes[...]
    }

    /// Reads a whole frame. Unknown keys are passed over.
    package init(decoding text: ArraySlice<UInt8>) throws(JSONError) {
        var type: String?
        var entries: [Entry]?
        try JSONCursor.readObject(text) { key, cursor, bytes throws(JSONError) in
            if JSONCursor.matches(key, "type", in: bytes) {
                type = try cursor.text(in: bytes)
            } else if JSONCursor.matches(key, "topics", in: bytes) {
                var found: [Entry] = []
                try cursor.members(in: bytes) { name, cursor throws(JSONError) in
                    found.append(Entry(topic: JSONCursor.text(name, in: bytes), cursor: try cursor.integer(in: bytes)))
                }
                entries = found
            } else {
                try cursor.skipValue(depth: 1)
            }
        }
        guard let entries, type == Self.type || type == Self.offerType else { throw JSONError(.missingKey, at: 0) }
        self.init(entries, isOffer: type == Self.offerType)
    }

    private static func open(_ isOffer: Bool, _ writer: inout JSONWriter) {
        if isOffer { writer.raw("{\"type\":\"$offered\",\"topics\":{") } else { writer.raw("{\"type\":\"$subscribed\",\"topics\":{") }
    }

    private static func member(_ index: Int, _ topic: String, _ cursor: Int, _ writer: inout JSONWriter) {
        if index > 0 { writer.raw(",") }
        writer.string(topic)
        writer.raw(":")
        writer.integer(cursor)
    }
}
