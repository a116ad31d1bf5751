import Postgres
import SparqProtocol
import Synchronization

/// Announces lost nodes. The removal stands before anything is published; the table `losses` says what another worker has to publish where
/// this one dies in between.
final class Losses: Sendable {
    private struct State {
        /// On their way from here.
        var open: Set<Int> = []
        /// The broker has confirmed all of it, but the table still holds them.
        var published: [Int] = []
    }

    /// The most that one look takes over from others.
    private static let limit = 100

    private let pool: PostgresPool
    private let commits: BatchQueue<Run>
    private let state = Mutex(State())

    init(pool: PostgresPool, commits: BatchQueue<Run>) {
        self.pool = pool
        self.commits = commits
    }

    /// Publishes what a loss brought.
    func announce(_ loss: Loss, _ unit: Unit) {
        state.withLock { _ = $0.open.insert(loss.number) }
        let batch = InboundBatch { isPublished in
            self.state.withLock { state in
                state.open.remove(loss.number)
                if isPublished { state.published.append(loss.number) }
            }
        }
        let run = Run(units: [unit], batch: batch, delivered: nil)
        if !commits.add(run, weight: run.weight) { run.ticket.abandon() }
    }

    /// Forgets what is published, and publishes what others removed and have not published for so long. Twice does no harm.
    func settle(after patience: Duration) async throws {
        let (open, published) = state.withLock { ($0.open, $0.published) }
        if !published.isEmpty {
            try await pool.execute("DELETE FROM losses WHERE loss = ANY ($1)", published)
            state.withLock { $0.published.removeFirst(published.count) }
        }
        let old = try await pool.query(
            "SELECT loss, node FROM losses WHERE at < now() - make_interval(secs => $1) AND loss <> ALL ($2) ORDER BY loss LIMIT $3",
            Double(patience.milliseconds) / 1000,
            Array(open),
            Self.limit
        ).map { row in
            let (number, node) = try row.decode(Int.self, String.self)
            return Loss(number: number, node: node)
        }
        if old.isEmpty { return }
        let repeats = try Repeats(try await pool.run(Repeats.statement(old.map(\.key))))
        for (index, loss) in old.enumerated() {
            announce(loss, repeats.known[index]?.unit(of: loss.envelope) ?? Unit(envelope: loss.envelope))
        }
    }
}
