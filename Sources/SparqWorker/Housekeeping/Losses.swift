import SparqPostgres
import SparqWire
import Synchronization

/// Announces lost nodes, and whose users may be gone with them. The removal stands before anything is published; the table `losses` says what
/// another worker has to publish where this one dies in between, and what nobody has published yet.
final class Losses: Sendable {
    private struct State {
        /// On their way from here.
        var open: Set<Int> = []
        /// The broker has confirmed all of it, but the table does not know yet.
        var published: [Int] = []
    }

    /// The most that one look takes over from others.
    private static let limit = 100

    private let pool: PostgresPool
    private let commits: BatchQueue<CommitGroup>
    private let notices: PresenceNotices
    private let state = Mutex(State())

    init(pool: PostgresPool, commits: BatchQueue<CommitGroup>, notices: PresenceNotices) {
        self.pool = pool
        self.commits = commits
        self.notices = notices
    }

    // Two workers may have the same losses in hand: in one order, so that none waits for the other.
    private static let announcement = """
        UPDATE losses SET announced = true
        WHERE loss IN (SELECT o.loss FROM losses o WHERE o.loss = ANY ($1) AND NOT o.announced ORDER BY o.loss FOR UPDATE)
        """

    private static let removal = """
        DELETE FROM losses WHERE loss IN (
            SELECT o.loss FROM losses o WHERE o.announced AND o.at < now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED
        )
        """

    /// Publishes what a loss brought.
    func announce(_ loss: Loss, _ message: CommittedMessage) {
        state.withLock { _ = $0.open.insert(loss.number) }
        let batch = InboundBatch { isPublished in
            self.state.withLock { state in
                state.open.remove(loss.number)
                if isPublished { state.published.append(loss.number) }
            }
        }
        notices.publish(loss.users, from: loss.node, of: [batch])
        let group = CommitGroup([.committed(message)], of: batch)
        if !commits.add(group) { group.completion.abandon() }
    }

    /// Notes what is published, and publishes what others removed and have not published for so long. Twice does no harm.
    func settle(after patience: Duration) async throws {
        let (open, published) = state.withLock { ($0.open, $0.published) }
        if !published.isEmpty {
            try await pool.execute(Self.announcement, published)
            state.withLock { $0.published.removeFirst(published.count) }
        }
        // Twice the queue's life beside the lease: the row may be older than the end of the queue's reader.
        let kept = BrokerNames.nodeQueuePatience * 2 + patience
        try await pool.execute(Self.removal, Double(kept.milliseconds) / 1000)
        let old = try await pool.query(
            // Whoever takes one over has it for itself for as long.
            """
            UPDATE losses l SET at = now() WHERE l.loss IN (
                SELECT o.loss FROM losses o
                WHERE NOT o.announced AND o.at < now() - make_interval(secs => $1) AND o.loss <> ALL ($2)
                ORDER BY o.loss LIMIT $3 FOR UPDATE SKIP LOCKED
            ) RETURNING l.loss, l.node, l.users
            """,
            Double(patience.milliseconds) / 1000,
            Array(open),
            Self.limit
        ).map { row in
            let (number, node, users) = try row.decode(Int.self, String.self, [String].self)
            return Loss(number: number, node: node, users: users)
        }
        if old.isEmpty { return }
        let repeats = try Repeats(try await pool.run(Repeats.statement(old.map(\.key))))
        for (index, loss) in old.enumerated() {
            announce(loss, repeats.known[index]?.message(of: loss.envelope) ?? CommittedMessage(loss.envelope))
        }
    }
}
