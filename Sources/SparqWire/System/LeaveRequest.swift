/// A node has no subscribers of these topics any more. No answer.
public struct LeaveRequest: Codable, Equatable, Sendable {
    /// The node's own count of its directory changes.
    public var version: Int
    /// The topics that it leaves.
    public var topics: [String]

    /// A request of its parts.
    public init(version: Int, topics: [String]) {
        self.version = version
        self.topics = topics
    }
}
