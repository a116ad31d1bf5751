/// A piece of a topic's log: the answer to a ``SyncRequest`` or a ``ReadRequest``.
package struct Page: Equatable, Sendable {
    /// The topic.
    package var topic: String
    /// The `after` of the request.
    package var after: Int
    /// `seq` of the first event; above `after + 1` only where the log no longer reaches back that far.
    package var first: Int
    /// The last `seq` of the topic when the page was read. The page may end below it.
    package var head: Int
    /// The version of the ``SyncRequest``; 0 in an answer to a ``ReadRequest``.
    package var version: Int
    /// Who is behind; `nil` where the node itself asked.
    package var connection: String?
    /// The events' JSON texts as clients get them, numbered from `first` without gaps.
    package var events: [ArraySlice<UInt8>]

    /// A page of its parts.
    @inlinable package init(
        topic: String,
        after: Int,
        first: Int,
        head: Int,
        version: Int,
        connection: String?,
        events: [ArraySlice<UInt8>]
    ) {
        self.topic = topic
        self.after = after
        self.first = first
        self.head = head
        self.version = version
        self.connection = connection
        self.events = events
    }

    /// The `seq` that a reader has after this page: `first - 1` where it is empty.
    @inlinable package var last: Int { first + events.count - 1 }
}

extension Page {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"page\",\"topic\":")
        writer.string(topic)
        if let connection {
            writer.raw(",\"connection\":")
            writer.string(connection)
        }
        writer.raw(",\"after\":")
        writer.integer(after)
        writer.raw(",\"first\":")
        writer.integer(first)
        writer.raw(",\"head\":")
        writer.integer(head)
        writer.raw(",\"version\":")
        writer.integer(version)
        writer.raw(",\"events\":")
        writer.array(events) { event, writer in writer.json(event) }
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        self.init(
            topic: try fields.required(fields.topic),
            after: try fields.required(fields.after),
            first: try fields.required(fields.first),
            head: try fields.required(fields.head),
            version: fields.version ?? 0,
            connection: fields.connection,
            events: fields.events
        )
    }
}
