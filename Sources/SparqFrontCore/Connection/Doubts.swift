/// Topics that a connection's user was unsubscribed from while messages of the connection were under way. What these messages grant may have been allowed
/// before that, by a worker that stood still, or after it: nobody here can tell. So it is asked for once more. A value without I/O.
package struct Doubts: Equatable {
    /// So many topics are remembered; beyond it all are in doubt.
    package static let limit = 512

    /// The last ordinal whose grants are in doubt, by topic.
    private var topics: [String: Int] = [:]
    /// The same, for all topics.
    private var all = 0

    package init() {}

    /// The user was unsubscribed from topics; messages up to this ordinal were under way.
    package mutating func add(_ names: [String], through ordinal: Int) {
        for name in names { topics[name] = max(topics[name] ?? 0, ordinal) }
        guard topics.count > Self.limit else { return }
        all = max(all, topics.values.max() ?? 0)
        topics = [:]
    }

    /// Whether what the message with this ordinal grants may be older than what was said since.
    package func covers(_ topic: String, _ ordinal: Int) -> Bool { ordinal <= max(all, topics[topic] ?? 0) }
}

/// Which message an instruction is of.
package struct Sender: Equatable, Sendable {
    package var connection: ConnectionID
    package var ordinal: Int

    /// Reads it from the instruction's origin, which begins with the connection and the ordinal; `nil` where no connection sent it.
    package init?(origin: String?) {
        guard let parts = origin?.split(separator: " "), parts.count >= 2, let id = ConnectionID(String(parts[0])),
            let ordinal = Int(parts[1])
        else { return nil }
        (connection, self.ordinal) = (id, ordinal)
    }
}
