import Logging
import Postgres
import SparqProtocol

/// Runs the handlers of one connection's messages, in order, and sends what they want on its way.
struct Processor: Sendable {
    /// More outcomes than this are not held back for the rest of the group.
    private static let runLimit = 256

    let router: Router
    let pool: PostgresPool
    let commits: BatchQueue<Run>
    let outbox: Outbox
    let failed: FailedMessages
    let retry: DatabaseRetry
    let subscriptions: Subscriptions
    let repetition: Repetition
    let nodeTimes: NodeTimes
    let deliveryBytes: Int
    private let known = BatchLoader<MessageKey, Bool> { keys, database in
        let sql = """
            SELECT i.user_id, i.message_id FROM unnest($1::text[], $2::text[]) AS k (user_id, message_id)
            CROSS JOIN LATERAL (
                SELECT b.user_id, b.message_id FROM inbox b WHERE b.user_id = k.user_id AND b.message_id = k.message_id LIMIT 1
            ) i
            """
        var known: [MessageKey: Bool] = [:]
        for row in try await database.query(sql, keys.map(\.user), keys.map(\.id)) {
            let (user, id) = try row.decode(String.self, String.self)
            known[MessageKey(user: user, id: id)] = true
        }
        return known
    }

    /// - Parameters:
    ///   - batch: One part of it is open for these messages, and ended here.
    ///   - gathering: Takes what can go on together with others of the batch.
    func process(_ envelopes: [Envelope], batch: InboundBatch, gathering: Gathering) async {
        var units: [Unit] = []
        let memo = envelopes.count > 1 ? LoadMemo() : nil
        do {
            for envelope in envelopes {
                units.append(try await step(envelope, &units, batch, memo, isOnlyOfBatch: gathering.isOnlyOfBatch))
                if units.count >= Self.runLimit { await flush(&units, batch, wait: true) }
            }
            if !units.isEmpty, !gathering.add(units) { await flush(&units, batch, wait: false) }
            batch.finish()
        } catch {
            // Cancelled, or shutting down: the broker delivers it again.
            await flush(&units, batch, wait: false)
            batch.abandon()
        }
    }

    /// Works on a single message until all that it brought is delivered. False where it must be left to the broker.
    ///
    /// - Parameter givesUp: It is buried, and its sender told; but if it took effect before, it gets its reply.
    func finish(_ envelope: Envelope, batch: InboundBatch, givesUp: Bool) async -> Bool {
        var units: [Unit] = []
        do {
            if givesUp {
                units = [try await giveUp(envelope, batch)]
            } else {
                units.append(try await step(envelope, &units, batch, nil, isOnlyOfBatch: true))
            }
        } catch {
            return false
        }
        await flush(&units, batch, wait: true)
        return !batch.isAbandoned && !Task.isCancelled
    }

    private func giveUp(_ envelope: Envelope, _ batch: InboundBatch) async throws -> Unit {
        let error = TooManyDeaths()
        let context = Context(envelope, attempt: batch.attempt, database: pool)
        if let key = MessageKey(envelope), try await isKnown(key, context, retry.during([batch])) {
            var unit = Unit(envelope: envelope, refusal: .internalFailure)
            unit.key = key
            return unit
        }
        failed.logger.error("message is given up", metadata: failed.metadata(envelope, error))
        return try await failed.never(envelope, attempt: batch.attempt, .worker, error)
    }

    /// Hands on what was gathered, of many connections; a part of the batch must be open.
    func pass(_ gathered: [[Unit]], _ batch: InboundBatch) {
        var finished: [Unit] = []
        for units in gathered {
            if units.contains(where: \.needsDatabase) {
                commit(Run(units: units, batch: batch, delivered: nil))
            } else if finished.isEmpty {
                finished = units
            } else {
                finished += units
            }
        }
        if !finished.isEmpty { deliver(finished, Ticket(batch: batch, delivered: nil)) }
    }

    /// Hands finished units on. What one connection sends must not overtake itself: wait where more follows.
    private func flush(_ units: inout [Unit], _ batch: InboundBatch, wait: Bool) async {
        guard !units.isEmpty else { return }
        let delivered = wait ? Delivered() : nil
        if units.contains(where: \.needsDatabase) {
            commit(Run(units: units, batch: batch, delivered: delivered))
        } else {
            deliver(units, Ticket(batch: batch, delivered: delivered))
        }
        units = []
        await delivered?.wait()
    }

    private func commit(_ run: Run) {
        run.batch.begin()
        if run.batch.isLost || !commits.add(run, count: run.units.count, weight: run.weight) { run.ticket.abandon() }
    }

    private func deliver(_ units: [Unit], _ ticket: Ticket) {
        ticket.batch.begin()
        if ticket.batch.isLost { return ticket.abandon() }
        outbox.add(DeliveryPlan(units: units, directory: DirectoryView(), limit: deliveryBytes), tickets: [ticket])
    }

    private func step(_ envelope: Envelope, _ units: inout [Unit], _ batch: InboundBatch, _ memo: LoadMemo?, isOnlyOfBatch: Bool)
        async throws
        -> Unit
    {
        if batch.isLost || Task.isCancelled { throw CancellationError() }
        let retry = retry.during([batch])
        // Of many topics at once policies ask for many things at once.
        let asksAlone = isOnlyOfBatch && !Subscriptions.types.contains(envelope.type)
        let context = Context(envelope, attempt: batch.attempt, database: pool, memo: memo, asksAlone: asksAlone)
        do {
            if nodeTimes.isGivenUp(envelope) { return try await passOver(envelope, context, retry) }
            if let unit = try await subscriptions.unit(for: envelope, context: context, retry: retry) { return unit }
            switch try await retry(.handlers, { try await router.run(envelope.type, json: envelope.message, context: context) }) {
            case .refused(let refusal): return try await refuse(envelope, refusal, context, retry)
            case .effects(let effects):
                let unit = try Unit(envelope: envelope, effects: effects)
                if let seal = unit.seal { units.append(seal) }
                return unit
            case .needsTransaction:
                await flush(&units, batch, wait: true)
                defer { memo?.forget() }
                return try await transact(envelope, context, batch, retry)
            }
        } catch {
            if batch.isLost { throw error }
            return try await failed.unit(for: envelope, attempt: batch.attempt, after: error)
        }
    }

    /// Nobody waits for it any more, and its handler does not run. But a `$connect` that a worker has committed and left undelivered is repeated.
    private func passOver(_ envelope: Envelope, _ context: Context, _ retry: DatabaseRetry) async throws -> Unit {
        let isConnect = envelope.type == SystemType.connect
        // A front that takes it all the same closes the socket: with this code as the server's failure, and not as the session's end.
        var unit = Unit(
            envelope: envelope,
            refusal: isConnect ? .internalFailure : Refusal(.unavailable, "Nobody waited for it any more; it may be sent again.")
        )
        if isConnect, let key = MessageKey(envelope.type, of: envelope.connection), try await isKnown(key, context, retry) {
            unit.key = key
        }
        return unit
    }

    /// What took effect before is answered as it was then, although the handler would say no by now, or it is another message under the same id.
    private func refuse(_ envelope: Envelope, _ refusal: Refusal, _ context: Context, _ retry: DatabaseRetry) async throws -> Unit {
        var unit = Unit(envelope: envelope, refusal: refusal)
        if refusal.code != .unknownType, let key = MessageKey(envelope), try await isKnown(key, context, retry) { unit.key = key }
        return unit
    }

    /// Whether a message with this key took effect by now.
    private func isKnown(_ key: MessageKey, _ context: Context, _ retry: DatabaseRetry) async throws -> Bool {
        try await retry(.own) { try await known.load(key.withoutFingerprint, context) } != nil
    }

    /// Handler, inbox row and durable events in one transaction.
    private func transact(_ envelope: Envelope, _ context: Context, _ batch: InboundBatch, _ retry: DatabaseRetry) async throws -> Unit {
        while true {
            do {
                let (unit, known) = try await retry { try await pool.transaction { try await transact(envelope, context, $0) } }
                guard let known else { return unit }
                return try await repetition.allowed(known.unit(insteadOf: unit), of: batch)
            } catch let error as PostgresError where error.isRepeat {
                // Another worker was faster: all that the handler did is undone. The next look at the inbox finds that worker's row.
                continue
            } catch let refusal as Refusal {
                // The same message at the same time: what this one met may be the other's effect, and then the other's reply is due.
                if let key = MessageKey(envelope), try await isKnown(key, context, retry) { continue }
                return Unit(envelope: envelope, refusal: refusal)
            }
        }
    }

    /// Where the message took effect before, its handler does not run.
    private func transact(_ envelope: Envelope, _ context: Context, _ transaction: PostgresTransaction) async throws
        -> (Unit, Repeats.Known?)
    {
        let key = MessageKey(envelope)
        if let known = try await Self.begin(key, transaction) { return (Unit(envelope: envelope), known) }
        let effects = try await router.run(envelope.type, json: envelope.message, context: context, transaction: transaction)
        var units = [try Unit(envelope: envelope, effects: effects)]
        units[0].key = key
        guard units[0].needsCommit else { return (units[0], nil) }
        let plan = CommitPlan(units)
        let rows = try await OwnStatementRefused.marked { try await transaction.run(plan.statement) }
        plan.apply(try CommitOutcome(rows, topics: plan.topics.count), to: &units)
        return (units[0], nil)
    }

    /// What the message brought, where it took effect before.
    private static func begin(_ key: MessageKey?, _ transaction: PostgresTransaction) async throws -> Repeats.Known? {
        guard let key else { return nil }
        return try Repeats(try await OwnStatementRefused.marked { try await transaction.run(Repeats.statement([key])) }).known[0]
    }
}
