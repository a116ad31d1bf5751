/// Where the directory differs from what a node said. The node mends it: it asks for the topics that it has in these buckets, and leaves those that it
/// does not have.
public struct Difference: Equatable, Sendable {
    /// The buckets whose sums differ (``TopicChecksum/bucket(ofPart:)``).
    public var buckets: [Int]
    /// What the directory says that the node has in them; where that is much, only in some of them.
    public var topics: [String]

    /// A difference of its parts.
    public init(buckets: [Int], topics: [String]) {
        self.buckets = buckets
        self.topics = topics
    }
}
