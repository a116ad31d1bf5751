/// A node has no subscribers of these topics any more. No answer.
package struct LeaveRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.leave }

    /// The node's own count of its directory changes.
    package var version: Int
    /// The topics that it leaves.
    package var topics: [String]

    /// A request of its parts.
    package init(version: Int, topics: [String]) {
        self.version = version
        self.topics = topics
    }
}

extension LeaveRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        writer.raw(",\"version\":")
        writer.integer(version)
        writer.raw(",\"topics\":")
        writer.array(topics) { topic, writer in writer.string(topic) }
    }
}
