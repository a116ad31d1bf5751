/// The renewal of a node's lease. The answer is ``Delivery/lease(_:)``, with ``Delivery/differs(_:)`` behind it where the directory
/// differs in some buckets.
package struct LeaseRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.lease }

    /// Set once when the process starts; a node that comes back under its old id is another incarnation.
    package var incarnation: String
    /// The node's own count of its directory changes: the directory is compared with what follows as of this version.
    package var version: Int
    /// How many topics the node has subscribers of.
    package var topicCount: Int
    /// Sum of ``TopicChecksum`` over these topics; where it differs from the directory's, the node must synchronise anew.
    package var checksum: Int
    /// No question of the node is without an answer; while one is, it will ask again anyway.
    package var settled: Bool
    /// The node is draining for good: its rows may go at once.
    package var leaving: Bool
    /// The sums of each bucket's topics (``TopicChecksum/buckets``). The node knows ``Delivery/differs(_:)``.
    package var sums: [Int]?

    /// A request of its parts.
    package init(incarnation: String, version: Int, topicCount: Int, checksum: Int, settled: Bool, leaving: Bool, sums: [Int]? = nil) {
        self.incarnation = incarnation
        self.version = version
        self.topicCount = topicCount
        self.checksum = checksum
        self.settled = settled
        self.leaving = leaving
        self.sums = sums
    }
}

extension LeaseRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        writer.raw(",\"incarnation\":")
        writer.string(incarnation)
        writer.raw(",\"version\":")
        writer.integer(version)
        writer.raw(",\"topicCount\":")
        writer.integer(topicCount)
        writer.raw(",\"checksum\":")
        writer.integer(checksum)
        if settled { writer.raw(",\"settled\":true") } else { writer.raw(",\"settled\":false") }
        if leaving { writer.raw(",\"leaving\":true") } else { writer.raw(",\"leaving\":false") }
        if let sums {
            writer.raw(",\"sums\":")
            writer.array(sums) { sum, writer in writer.integer(sum) }
        }
    }
}
