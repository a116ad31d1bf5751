import SparqPostgres
import SparqStore
import SparqWire

/// Messages whose handlers need a transaction.
extension Processor {
    /// Handler, inbox row and durable events in one transaction.
    func transact(_ envelope: Envelope, _ context: Context, _ run: ConnectionRun, _ owner: Int, _ retry: DatabaseRetry)
        async throws
        -> MessageOutcome
    {
        let limit = router.timeLimit(of: envelope.type) ?? timeLimit
        var changes = 0
        while true {
            do {
                let result = try await retry {
                    // What waits for its turn has not begun.
                    try await database.hold(envelope.type, isTransaction: true) { [self] keep in
                        if run.batch.isLost { throw CancellationError() }
                        return try await run.limited(limit, owner) {
                            try await pool.transaction {
                                let outcome = try await transact(envelope, context, $0)
                                try run.check(owner)
                                // A message without an id would take effect twice, if its commit were broken off and done again.
                                try keep()
                                return outcome
                            } explaining: {
                                await OwnStatementRefused.explained($0, $1)
                            }
                        }
                    }
                }
                switch result {
                case .committed(let message): return .committed(message)
                case .known(let known):
                    let outcome = known.outcome(of: envelope)
                    guard case .repeated(let message) = outcome else { return outcome }
                    return .committed(try await repetition.allowed(message, of: run.batch))
                }
            } catch let error as PostgresError where error.isRepeat {
                // Another worker was faster: all that the handler did is undone. The next look at the inbox finds that worker's row.
                continue
            } catch is SessionChanged where changes < 2 {
                // Somebody may have mended it in this moment.
                changes += 1
                continue
            } catch let refusal as Refusal {
                // The same message at the same time: what this one met may be the other's effect, and then the other's reply is due.
                if let key = MessageKey(envelope), try await isKnown(key, context, retry) { continue }
                return .settled(.refused(envelope, refusal))
            }
        }
    }

    /// What a message came to that has a transaction of its own.
    private enum Transacted: Sendable {
        case committed(CommittedMessage)
        /// It took effect before, and its handler has not run.
        case known(Repeats.Known)
    }

    private func transact(_ envelope: Envelope, _ context: Context, _ transaction: PostgresTransaction) async throws -> Transacted {
        let key = MessageKey(envelope)
        if let known = try await Self.begin(key, transaction) { return .known(known) }
        let effects = try await router.run(envelope.type, json: envelope.message, context: context, transaction: transaction)
        let message = try HandledMessage(envelope, effects: effects, key: key)
        guard message.needsCommit else { return .committed(CommittedMessage(message.rest)) }
        let plan = CommitPlan([message])
        let rows = try await OwnStatementRefused.run(plan.statement, transaction)
        return .committed(plan.committed(try CommitOutcome(rows, topics: plan.topics.count), [message])[0])
    }

    /// What the message brought, where it took effect before.
    private static func begin(_ key: MessageKey?, _ transaction: PostgresTransaction) async throws -> Repeats.Known? {
        guard let key else { return nil }
        return try Repeats(try await OwnStatementRefused.run(Repeats.statement([key]), transaction)).known[0]
    }
}
