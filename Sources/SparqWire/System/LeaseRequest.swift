/// The renewal of a node's lease. The answer is ``Delivery/lease(_:)``, with ``Delivery/differs(_:)`` behind it where the directory
/// differs in some buckets.
public struct LeaseRequest: Codable, Equatable, Sendable {
    /// Set once when the process starts; a node that comes back under its old id is another incarnation.
    public var incarnation: String
    /// The node's own count of its directory changes: the directory is compared with what follows as of this version.
    public var version: Int
    /// How many topics the node has subscribers of.
    public var topicCount: Int
    /// Sum of ``TopicChecksum`` over these topics; where it differs from the directory's, the node must synchronise anew.
    public var checksum: Int
    /// No question of the node is without an answer; while one is, it will ask again anyway.
    public var settled: Bool
    /// The node is draining for good: its rows may go at once.
    public var leaving: Bool
    /// The sums of each bucket's topics (``TopicChecksum/buckets``). The node knows ``Delivery/differs(_:)``.
    public var sums: [Int]?

    /// A request of its parts.
    public init(incarnation: String, version: Int, topicCount: Int, checksum: Int, settled: Bool, leaving: Bool, sums: [Int]? = nil) {
        self.incarnation = incarnation
        self.version = version
        self.topicCount = topicCount
        self.checksum = checksum
        self.settled = settled
        self.leaving = leaving
        self.sums = sums
    }
}
