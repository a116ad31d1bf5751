/// A topic that a connection may subscribe to, as the worker found it.
package struct Grant: Equatable, Sendable {
    /// The topic.
    package var topic: String
    /// Deliver what comes after this `seq`.
    package var cursor: Int
    /// The topic's last `seq` when the worker looked: `cursor` or above.
    package var head: Int

    /// A grant of its parts.
    @inlinable package init(topic: String, cursor: Int, head: Int) {
        self.topic = topic
        self.cursor = cursor
        self.head = head
    }
}

extension Grant {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"topic\":")
        writer.string(topic)
        writer.raw(",\"cursor\":")
        writer.integer(cursor)
        writer.raw(",\"head\":")
        writer.integer(head)
        writer.byte(UInt8(ascii: "}"))
    }

    /// Reads the object that comes next.
    init(decoding cursor: inout JSONCursor, in bytes: UnsafeRawBufferPointer) throws(JSONError) {
        var grant = Grant(topic: "", cursor: 0, head: 0)
        try cursor.members(in: bytes) { key, cursor throws(JSONError) in
            switch JSONCursor.text(key, in: bytes) {
            case "topic": grant.topic = try cursor.text(in: bytes)
            case "cursor": grant.cursor = try cursor.integer(in: bytes)
            case "head": grant.head = try cursor.integer(in: bytes)
            default: try cursor.skipValue()
            }
        }
        self = grant
    }
}
