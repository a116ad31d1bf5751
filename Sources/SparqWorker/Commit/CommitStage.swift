import Logging
import Postgres
import SparqProtocol

/// Commits runs, looks up who must hear of them, and hands both to the outbox: one round trip for as many runs as are there.
struct CommitStage: Sendable {
    let queue: BatchQueue<Run>
    let pool: PostgresPool
    let retry: DatabaseRetry
    let failed: FailedMessages
    let outbox: Outbox
    let deliveryBytes: Int
    let logger: Logger

    /// Works until the queue is closed and empty. Any number of tasks may do so.
    func run() async {
        while let runs = await queue.next() {
            let tickets = runs.map { Ticket(batch: $0.batch, delivered: $0.delivered) }
            do {
                var units = runs.flatMap(\.units)
                let directory = try await settle(&units)
                outbox.add(DeliveryPlan(units: units, directory: directory, limit: deliveryBytes), tickets: tickets)
            } catch {
                // Cancelled, or the pool is closed: the broker delivers these again.
                logger.debug("commit given up", metadata: ["error": "\(error)"])
                for ticket in tickets { ticket.abandon() }
            }
        }
    }

    /// Commits what is to be committed; the units are then as they are to be delivered.
    private func settle(_ units: inout [Unit]) async throws -> DirectoryView {
        var view = DirectoryView()
        let question = DirectoryQuestion(units: units)
        let indices = units.indices.filter { units[$0].needsCommit }
        if indices.isEmpty {
            try await ask(question, &view)
            return view
        }
        var committing = indices.map { units[$0] }
        let plan = CommitPlan(committing)
        do {
            let results = try await retry(timeoutsPass: true) {
                // Separate transactions of one round trip: what is looked up is what stands after the commit.
                var results = try await pool.pipeline(
                    Sabotage.isOn(.directoryBeforeCommit) ? question.statements + [plan.statement] : [plan.statement] + question.statements
                )
                if Sabotage.isOn(.directoryBeforeCommit) { results = results.suffix(1) + results.dropLast() }
                _ = try results[0].get()
                return results
            }
            try CommitOutcome(results[0].get()).apply(to: &committing)
            // The commit stands; a failed look-up after it must not repeat it.
            do { try question.read(results[1...], into: &view) } catch {
                view = DirectoryView()
                try await ask(question, &view)
            }
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            logger.error(
                "commit failed, its messages are committed one by one",
                metadata: ["error": "\(error)", "messages": "\(indices.count)"]
            )
            try await settleEach(&committing)
            for (index, unit) in zip(indices, committing) { units[index] = unit }
            view = DirectoryView()
            try await ask(DirectoryQuestion(units: units), &view)
            return view
        }
        for (index, unit) in zip(indices, committing) { units[index] = unit }
        // Repeats bring the events of their first time, which may have gone elsewhere.
        let others = Set(committing.lazy.flatMap(\.events).map(\.topic)).subtracting(question.topics)
        if !others.isEmpty { try await ask(DirectoryQuestion(topics: Array(others)), &view) }
        return view
    }

    private func ask(_ question: DirectoryQuestion, _ view: inout DirectoryView) async throws {
        let statements = question.statements
        if statements.isEmpty { return }
        let before = view
        view = try await retry(timeoutsPass: true) {
            var answer = before
            try question.read(try await pool.pipeline(statements)[...], into: &answer)
            return answer
        }
    }

    /// One bad message fails alone.
    private func settleEach(_ units: inout [Unit]) async throws {
        for index in units.indices {
            var single = [units[index]]
            let plan = CommitPlan(single)
            do {
                let rows = try await retry(timeoutsPass: true) { try await pool.run(plan.statement) }
                try CommitOutcome(rows).apply(to: &single)
                units[index] = single[0]
            } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
                let envelope = units[index].envelope
                logger.error("message cannot be committed", metadata: failed.metadata(envelope, error))
                guard await failed.bury(envelope, attempts: 1, .commit, error) == .dead else { throw CancellationError() }
                units[index] = Unit(envelope: envelope, refusal: .internalFailure)
            }
        }
    }
}

extension Refusal {
    static let internalFailure = Refusal(.internal, "The message failed for a reason that lies with the server.")
}
