import FaultLog
import Logging
import SparqPostgres
import SparqStore
import SparqWire

/// Removes nodes whose lease ran out: each by exactly one worker.
struct Reaper: Sendable {
    /// A node whose handler failed in so many rounds is removed without it.
    private static let patience = 3

    enum Outcome: Equatable, Sendable {
        case none
        case removed
        /// The handler failed; the node stays for another round.
        case failed(String)
        /// The same, but the database may be to blame: it does not count.
        case postponed(String)
    }

    /// The process stood still in the middle of a look.
    struct StoodStill: Error {}

    let pool: PostgresPool
    let router: Router
    let losses: Losses
    let health: DatabaseHealth
    let readiness: WorkerReadiness
    let leases: LeaseWatch
    let interval: Duration
    let lease: Duration
    let timeLimit: Duration
    let logger: Logger

    func run() async {
        // In how many rounds the handler failed for a node.
        var failures: [String: Int] = [:]
        let faults = FaultLog(logger)
        while true {
            let pause = interval * Double.random(in: 0.8...1.2)
            let start = ContinuousClock.now
            guard (try? await Task.sleep(for: pause)) != nil else { return }
            // After a start or an outage, of the broker's too, the renewals that were sent meanwhile must be heard first; so must those that wait.
            guard min(health.calm, readiness.calm) > lease, leases.isCalm(for: lease) else { continue }
            do {
                if stoodStill(.now - start - pause) { throw StoodStill() }
                try await look(&failures)
                try await losses.settle(after: lease)
                try await LossStore.removeOrphans(pool)
                faults.ended(FaultLog.single, "dead nodes are looked for again")
            } catch is StoodStill {
                logger.info("stood still, dead nodes are looked for later")
            } catch {
                if !Task.isCancelled { faults.occurred(FaultLog.single, "looking for dead nodes failed", metadata: error.account) }
            }
        }
    }

    /// Whether a process that lost so much time may have slept through renewals: they wait to be heard, while the leases run out. Nodes renew
    /// theirs so early that a shorter sleep harms none.
    func stoodStill(_ lost: Duration) -> Bool { lost > lease / 3 }

    private func look(_ failures: inout [String: Int]) async throws {
        var failed: Set<String> = []
        defer { failures = failures.filter { failed.contains($0.key) } }
        while true {
            let hopeless = failures.filter { $0.value >= Self.patience }.map(\.key)
            switch try await reap(except: failed, unannounced: hopeless) {
            case .none: return
            case .removed: break
            case .failed(let node):
                failed.insert(node)
                failures[node, default: 0] += 1
            case .postponed(let node): failed.insert(node)
            }
        }
    }

    /// Removes one node, and announces that.
    private func reap(except skipped: Set<String>, unannounced: [String]) async throws -> Outcome {
        let start = ContinuousClock.now
        var found: Loss?
        do {
            let message: CommittedMessage? = try await pool.transaction { transaction in
                found = nil
                guard let row = try await LossStore.removeDeadNode(except: Array(skipped), transaction) else { return nil }
                if stoodStill(.now - start) { throw StoodStill() }
                let loss = Loss(row)
                found = loss
                return unannounced.contains(loss.node) ? CommittedMessage(loss.envelope) : try await run(loss, transaction)
            }
            guard let message, let found else { return .none }
            logger.warning("node is dead, its lease ran out", metadata: ["node": "\(found.node)"])
            if unannounced.contains(found.node) { logger.error("its loss is not announced", metadata: ["node": "\(found.node)"]) }
            losses.announce(found, message)
            return .removed
        } catch {
            let cause = (error as? PostgresError)?.cause
            guard let found, !Task.isCancelled, cause != .outage, cause != .crowd, cause != .conflict, cause != .shutdown else {
                throw error
            }
            if cause == .defect || error is OwnStatementRefused { return .postponed(found.node) }
            logger.error("a lost node's handler failed", metadata: ["node": "\(found.node)", "error": "\(error)"])
            return .failed(found.node)
        }
    }

    /// Runs the handler, and notes what it wants in the inbox and the log.
    private func run(_ loss: Loss, _ transaction: PostgresTransaction) async throws -> CommittedMessage {
        guard let handler = router.nodeLossHandler else { return CommittedMessage(loss.envelope) }
        let context = Context(loss.envelope, attempt: 1, database: transaction)
        let effects = try await TimeLimit.run(timeLimit, "a lost node's handler") {
            try await handler(loss.node, context, transaction)
        }
        let message = try HandledMessage(loss.envelope, effects: effects, key: loss.key)
        let plan = CommitPlan([message])
        let rows = try await OwnStatementRefused.marked { try await transaction.run(plan.statement) }
        return plan.committed(try CommitOutcome(rows, topics: plan.topics.count), [message])[0]
    }
}
