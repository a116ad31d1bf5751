import SparqPostgres
import SparqStore

/// What `sparq_commit` answered. A value without I/O.
struct CommitOutcome: Equatable, Sendable {
    /// The last number of each of the plan's topics.
    var heads: [Int] = []
    /// When the events were appended: milliseconds since the Unix epoch.
    var time = 0

    /// - Parameter topics: How many topics the plan has.
    init(_ rows: PostgresResult, topics: Int) throws(PostgresError) {
        (heads, time) = try InboxStore.committed(rows)
        // Events without numbers must not be delivered, nor their messages acked.
        precondition(heads.count == topics, "sparq_commit answers with one number for each topic")
    }

    init(heads: [Int], time: Int) {
        self.heads = heads
        self.time = time
    }
}
