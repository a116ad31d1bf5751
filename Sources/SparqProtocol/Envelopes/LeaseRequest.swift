/// The renewal of a node's lease. The answer is ``Delivery/lease(_:)``.
public struct LeaseRequest: Codable, Equatable, Sendable {
    /// Set once when the process starts; a node that comes back under its old id is another incarnation.
    public var incarnation: String
    /// How many topics the node has subscribers of.
    public var topicCount: Int
    /// Sum of ``TopicChecksum`` over these topics; where it differs from the directory's, the node must synchronise anew.
    public var checksum: Int
    /// No directory change of the node is on its way; while one is, the sums may differ without harm.
    public var settled: Bool
    /// The node is draining for good: its rows may go at once.
    public var leaving: Bool

    /// A request of its parts.
    public init(incarnation: String, topicCount: Int, checksum: Int, settled: Bool, leaving: Bool) {
        self.incarnation = incarnation
        self.topicCount = topicCount
        self.checksum = checksum
        self.settled = settled
        self.leaving = leaving
    }
}
