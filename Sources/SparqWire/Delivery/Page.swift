/// A piece of a topic's log: the answer to a ``SyncRequest`` or a ``ReadRequest``.
public struct Page: Equatable, Sendable {
    /// The topic.
    public var topic: String
    /// The `after` of the request.
    public var after: Int
    /// `seq` of the first event; above `after + 1` only where the log no longer reaches back that far.
    public var first: Int
    /// The last `seq` of the topic when the page was read. The page may end below it.
    public var head: Int
    /// The version of the ``SyncRequest``; 0 in an answer to a ``ReadRequest``.
    public var version: Int
    /// Who is behind; `nil` where the node itself asked.
    public var connection: String?
    /// The events' JSON texts as clients get them, numbered from `first` without gaps.
    public var events: [ArraySlice<UInt8>]

    /// A page of its parts.
    public init(topic: String, after: Int, first: Int, head: Int, version: Int, connection: String?, events: [ArraySlice<UInt8>]) {
        self.topic = topic
        self.after = after
        self.first = first
        self.head = head
        self.version = version
        self.connection = connection
        self.events = events
    }

    /// The `seq` that a reader has after this page: `first - 1` where it is empty.
    public var last: Int { first + events.count - 1 }
}
