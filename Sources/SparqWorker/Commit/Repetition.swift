import SparqPostgres
import SparqWire

/// Asks policies for messages that took effect before: the one way for those of effects and for those with a transaction of their own.
struct Repetition: Sendable {
    let router: Router
    let database: PostgresShare
    let timeLimit: Duration
    let retry: DatabaseRetry
    let failed: FailedMessages

    /// A run with those subscriptions of its repeats that policies allow. Where a policy fails, its message comes to what it would have come to
    /// the first time, and the others are none the worse.
    ///
    /// Throws where the run is to be left to the broker.
    func allowed(_ run: Run) async throws -> Run {
        var run = run
        let batch = run.batch
        try await withThrowingTaskGroup(of: (Int, Unit).self) { group in
            for (index, unit) in run.units.enumerated() where !unit.doubtful.isEmpty {
                group.addTask {
                    do {
                        return (index, try await allowed(unit, of: batch))
                    } catch {
                        if batch.isLost { throw error }
                        return (index, try await failed.unit(for: unit.envelope, attempt: batch.attempt, after: error))
                    }
                }
            }
            for try await (index, unit) in group { run.units[index] = unit }
        }
        return run
    }

    /// The message with those of its doubtful subscriptions that the user may have by now. Throws what a topic's policy throws, but for refusals.
    func allowed(_ unit: Unit, of batch: InboundBatch) async throws -> Unit {
        if unit.doubtful.isEmpty { return unit }
        let context = Context(unit.envelope, attempt: batch.attempt, database: database.reads(of: unit.envelope.type))
        let retry = retry.during([batch])
        // Concurrently, so that loaders gather what the policies ask for.
        let refused = try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, each) in unit.subscriptions.enumerated() where unit.doubtful.contains(each.topic) {
                group.addTask {
                    let refusal = try await retry {
                        try await TimeLimit.run(timeLimit, "the policy of a topic") {
                            try await router.refusal(of: Topic(rawValue: each.topic), context: context)
                        }
                    }
                    return refusal == nil ? nil : index
                }
            }
            var refused: Set<Int> = []
            for try await index in group { if let index { refused.insert(index) } }
            return refused
        }
        var again = unit
        again.doubtful = []
        again.subscriptions = unit.subscriptions.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
        return again
    }
}
