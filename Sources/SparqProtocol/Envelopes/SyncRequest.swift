/// What a node asks when it gets its first subscriber of a topic, when it misses events, and when it cannot be sure of either.
///
/// The worker writes the directory, commits, and only then reads the log: an event is in what it reads, or its sender
/// finds the node in the directory. The answer is a ``Page`` for each topic.
public struct SyncRequest: Codable, Equatable, Sendable {
    /// The node's own count of its directory changes: a change with a lower version never undoes one with a higher.
    public var version: Int
    /// Topic, and the last `seq` that the node has.
    public var topics: [String: Int]

    /// A request of its parts.
    public init(version: Int, topics: [String: Int]) {
        self.version = version
        self.topics = topics
    }
}
