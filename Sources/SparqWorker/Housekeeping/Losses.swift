import SparqPostgres
import SparqStore
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
            try await LossStore.noteAnnounced(published, pool)
            state.withLock { $0.published.removeFirst(published.count) }
        }
        // Twice the queue's life beside the lease: the row may be older than the end of the queue's reader.
        let kept = BrokerNames.nodeQueuePatience * 2 + patience
        try await LossStore.removeAnnounced(olderThan: Double(kept.milliseconds) / 1000, pool)
        let old = try await LossStore.takeOver(
            unannouncedFor: Double(patience.milliseconds) / 1000,
            except: Array(open),
            limit: Self.limit,
            pool
        ).map { Loss($0) }
        if old.isEmpty { return }
        let repeats = try Repeats(try await pool.run(Repeats.statement(old.map(\.key))))
        for (index, loss) in old.enumerated() {
            announce(loss, repeats.known[index]?.message(of: loss.envelope) ?? CommittedMessage(loss.envelope))
        }
    }
}

/// Rows of a node that were removed from the directory: all that it had, because its lease ran out, or because they were not what it said.
/// A value without I/O.
struct Loss: Equatable, Sendable {
    /// The database's number of it: a node can be lost more than once.
    let number: Int
    let node: String
    /// Whose presence may have changed by it.
    let users: [String]

    /// What its handler's effects are effects of.
    var envelope: Envelope { Envelope(lostNode: node, number: number) }

    /// As which the inbox notes it. No user's name begins with the control character.
    var key: MessageKey { MessageKey(user: "\u{1}\(node)", id: "\(envelope.type) \(number)") }
}

extension Loss {
    init(_ row: LossStore.Row) { self.init(number: row.number, node: row.node, users: row.users) }
}
