import SparqPostgres
import SparqWire

/// Asks policies for messages that took effect before: the one way for those of effects and for those with a transaction of their own.
struct Repetition: Sendable {
    let router: Router
    let database: PostgresShare
    let timeLimit: Duration
    let retry: DatabaseRetry
    let failed: FailedMessages

    /// A group with those subscriptions of its repeats that policies allow. Where a policy fails, its message comes to what it would have come to
    /// the first time, and the others are none the worse.
    ///
    /// Throws where the group is to be left to the broker.
    func allowed(_ waiting: CommitGroup) async throws -> CommitGroup {
        var allowed = waiting
        let batch = waiting.batch
        try await withThrowingTaskGroup(of: (Int, SettledMessage).self) { group in
            for (index, outcome) in waiting.outcomes.enumerated() {
                guard case .repeated(let repeated) = outcome else { continue }
                group.addTask {
                    do {
                        return (index, .committed(try await self.allowed(repeated, of: batch)))
                    } catch {
                        if batch.isLost { throw error }
                        return (index, try await failed.message(repeated.message.envelope, attempt: batch.attempt, after: error))
                    }
                }
            }
            for try await (index, message) in group { allowed.outcomes[index] = .settled(message) }
        }
        return allowed
    }

    /// The message with those of its doubtful subscriptions that the user may have by now. Throws what a topic's policy throws, but for refusals.
    func allowed(_ repeated: RepeatedMessage, of batch: InboundBatch) async throws -> CommittedMessage {
        let envelope = repeated.message.envelope
        let context = Context(envelope, attempt: batch.attempt, database: database.reads(of: envelope.type))
        let retry = retry.during([batch])
        // Concurrently, so that loaders gather what the policies ask for.
        let refused = try await withThrowingTaskGroup(of: Int?.self) { group in
            for (index, each) in repeated.message.rest.subscriptions.enumerated() where repeated.doubtful.contains(each.topic) {
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
        return repeated.allowed(refusing: refused)
    }
}
