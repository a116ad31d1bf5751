/// What a node asks when it gets its first subscriber of a topic, when it misses events, and when it cannot be sure of either.
///
/// The worker writes the directory, commits, and only then reads the log: an event is in what it reads, or its sender
/// finds the node in the directory. The answer is a ``Page`` for each topic; for a brief request one for each that is behind, and then
/// ``Delivery/synced(_:)``.
package struct SyncRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.sync }

    /// The node's own count of its directory changes: a change with a lower version never undoes one with a higher.
    package var version: Int
    /// Topic, and the last `seq` that the node has.
    package var topics: [String: Int]
    /// Of topics that the node asked for before: the version with which it did so first, since when it has had them without a break. It has left
    /// none of them since, so a directory row as of then need not be written again. Of the other topics it is ``version``.
    package var joined: [String: Int]?
    /// The node knows ``Delivery/synced(_:)``.
    package var brief: Bool?

    /// A request of its parts.
    package init(version: Int, topics: [String: Int], joined: [String: Int]? = nil, brief: Bool? = nil) {
        self.version = version
        self.topics = topics
        self.joined = joined
        self.brief = brief
    }

    /// As of which change the node has had a topic.
    package func joined(_ topic: String) -> Int { min(joined?[topic] ?? version, version) }
}

extension SyncRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        writer.raw(",\"version\":")
        writer.integer(version)
        writer.raw(",\"topics\":")
        writer.object(topics)
        if let joined, !joined.isEmpty {
            writer.raw(",\"joined\":")
            writer.object(joined)
        }
        if brief == true { writer.raw(",\"brief\":true") }
    }
}
