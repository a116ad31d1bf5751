import Logging
import Postgres
import SparqProtocol

/// Removes nodes whose lease ran out: each by exactly one worker.
struct Reaper: Sendable {
    let pool: PostgresPool
    let router: Router
    let commits: BatchQueue<Run>
    let health: DatabaseHealth
    let readiness: Readiness
    let interval: Duration
    let lease: Duration
    let logger: Logger

    func run() async {
        while (try? await Task.sleep(for: interval * Double.random(in: 0.8...1.2))) != nil {
            // After a start or an outage, of the broker's too, the renewals that were sent meanwhile must be heard first.
            guard min(health.calm, readiness.calm) > lease else { continue }
            do {
                while try await reap() {}
                try await pool.execute(Self.orphans)
            } catch {
                if !Task.isCancelled { logger.warning("looking for dead nodes failed", metadata: ["error": "\(error)"]) }
            }
        }
    }

    /// Removes one node; false where there is none.
    func reap() async throws -> Bool {
        let lost: (node: String, unit: Unit)? = try await pool.transaction { transaction in
            let rows = try await transaction.query(
                "SELECT node FROM nodes WHERE expires_at < now() ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED"
            )
            guard let node = try rows.first?.decode(String.self) else { return nil }
            let unit = try await announce(node, transaction)
            try await transaction.execute("DELETE FROM directory WHERE node = $1", node)
            try await transaction.execute("DELETE FROM nodes WHERE node = $1", node)
            return (node, unit)
        }
        guard let lost else { return false }
        logger.warning("node is dead, its lease ran out", metadata: ["node": "\(lost.node)"])
        _ = commits.add(Run(units: [lost.unit], batch: InboundBatch { _ in }, delivered: nil))
        return true
    }

    private func announce(_ node: String, _ transaction: PostgresTransaction) async throws -> Unit {
        let envelope = Envelope(
            node: node,
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: 0,
            type: "$node-lost",
            id: nil,
            message: Array("{}".utf8)[...]
        )
        guard let handler = router.nodeLossHandler else { return Unit(envelope: envelope) }
        let context = Context(
            userID: nil,
            connection: nil,
            node: node,
            type: envelope.type,
            messageID: nil,
            time: 0,
            attempt: 1,
            database: transaction
        )
        var units = [try Unit(envelope: envelope, effects: try await handler(node, context, transaction))]
        if units[0].needsCommit {
            let plan = CommitPlan(units)
            plan.apply(try CommitOutcome(try await transaction.run(plan.statement), topics: plan.topics.count), to: &units)
        }
        return units[0]
    }

    /// Rows of nodes that are not there at all. The distinct nodes are found by jumping along the index.
    private static let orphans = """
        WITH RECURSIVE known (node) AS (
            SELECT min(node) FROM directory
            UNION ALL
            SELECT (SELECT min(d.node) FROM directory d WHERE d.node > known.node) FROM known WHERE known.node IS NOT NULL
        )
        DELETE FROM directory d
        WHERE d.node IN (SELECT k.node FROM known k WHERE k.node IS NOT NULL EXCEPT SELECT n.node FROM nodes n)
        """
}
