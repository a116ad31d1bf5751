import Logging
import Postgres
import SparqProtocol

/// Commits runs, looks up who must hear of them, and hands both to the outbox: one round trip for as many runs as are there.
struct CommitStage: Sendable {
    let queue: BatchQueue<Run>
    let pool: PostgresPool
    let retry: DatabaseRetry
    let failed: FailedMessages
    let repetition: Repetition
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
        let isWhole = try await commit(&committing, asking: question, &view)
        for (index, unit) in zip(indices, committing) { units[index] = unit }
        if !isWhole {
            view = DirectoryView()
            try await ask(DirectoryQuestion(units: units), &view)
        }
        return view
    }

    /// False where it took more than the one round trip, and the question is to be asked again.
    private func commit(_ units: inout [Unit], asking question: DirectoryQuestion, _ view: inout DirectoryView) async throws -> Bool {
        let plan = CommitPlan(units)
        guard plan.isDistinct else {
            try await commitApart(&units)
            return false
        }
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
            plan.apply(try CommitOutcome(results[0].get(), topics: plan.topics.count), to: &units)
            // The commit stands; a failed look-up after it must not repeat it.
            do { try question.read(results[1...], into: &view) } catch { return false }
            return true
        } catch let error as PostgresError where error.isRepeat {
            try await commitApart(&units)
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            try await commitEach(&units, after: error)
        }
        return false
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

    /// Finds those that took effect before, and commits the others.
    private func commitApart(_ units: inout [Unit]) async throws {
        do {
            try await commitAroundRepeats(&units)
        } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
            try await commitEach(&units, after: error)
        }
    }

    /// Some took effect before, or are there twice; and again where somebody was faster meanwhile. What it came to before it throws stands.
    private func commitAroundRepeats(_ units: inout [Unit]) async throws {
        while true {
            let keyed = units.indices.filter { units[$0].key != nil }
            if !keyed.isEmpty {
                let statement = Repeats.statement(keyed.compactMap { units[$0].key })
                let repeats = try Repeats(try await retry(timeoutsPass: true) { try await pool.run(statement) })
                for (place, known) in repeats.known { units[keyed[place]] = try await repeated(units[keyed[place]], known) }
            }
            var seen: Set<[String]> = []
            let first = units.indices.filter { index in
                units[index].needsCommit && units[index].key.map { seen.insert([$0.user, $0.id]).inserted } ?? true
            }
            if first.isEmpty { return }
            var committing = first.map { units[$0] }
            let plan = CommitPlan(committing)
            do {
                let rows = try await retry(timeoutsPass: true) { try await pool.run(plan.statement) }
                plan.apply(try CommitOutcome(rows, topics: plan.topics.count), to: &committing)
            } catch let error as PostgresError where error.isRepeat {
                continue
            }
            for (index, unit) in zip(first, committing) { units[index] = unit }
        }
    }

    /// One bad message fails alone.
    private func commitEach(_ units: inout [Unit], after error: PostgresError) async throws {
        if units.count > 1 {
            logger.error(
                "commit failed, its messages are committed one by one",
                metadata: ["error": "\(error)", "messages": "\(units.count)"]
            )
        }
        for index in units.indices where units[index].needsCommit {
            var single = [units[index]]
            do {
                try await commitAroundRepeats(&single)
                units[index] = single[0]
            } catch let error as PostgresError where error.code != .poolClosed && !Task.isCancelled {
                logger.error("message cannot be committed", metadata: failed.metadata(units[index].envelope, error))
                units[index] = try await bury(units[index].envelope, .commit, error)
            }
        }
    }

    private func repeated(_ unit: Unit, _ known: Repeats.Known) async throws -> Unit {
        do {
            return try await repetition.unit(of: unit, known: known)
        } catch let error where (error as? PostgresError)?.code != .poolClosed && !Task.isCancelled {
            // The others must not wait for a policy that fails.
            logger.error("policy failed", metadata: failed.metadata(unit.envelope, error))
            return try await bury(unit.envelope, .handler, error)
        }
    }

    private func bury(_ envelope: Envelope, _ step: FailedMessages.Step, _ error: any Error) async throws -> Unit {
        guard await failed.bury(envelope, attempts: 1, step, error) == .dead else { throw CancellationError() }
        return Unit(envelope: envelope, refusal: .internalFailure)
    }
}

extension Refusal {
    static let internalFailure = Refusal(.internal, "The message failed for a reason that lies with the server.")
}
