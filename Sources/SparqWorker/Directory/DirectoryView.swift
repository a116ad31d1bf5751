import SparqPostgres

/// What a batch needs to know for its delivery, as it was after its commit.
struct DirectoryView: Equatable, Sendable {
    /// The nodes that have subscribers, by topic.
    var nodes: [String: [String]] = [:]
    /// The last numbers of topics; without events there is none.
    var heads: [String: Int] = [:]
    /// All nodes that are alive, or may be.
    var allNodes: [String] = []
}
