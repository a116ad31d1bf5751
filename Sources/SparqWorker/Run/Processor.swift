import FaultLog
import Logging
import SparqPostgres
import SparqStore
import SparqWire

/// Runs the handlers of one connection's messages, in order, and sends what they want on its way.
final class Processor: Sendable {
    /// More outcomes than this are not held back for the rest of the group.
    private static let runLimit = 256
    /// The most messages that wait for a transaction: for longer nobody would wait.
    private static let transactionLimit = 512

    let router: Router
    /// For what Sparq asks by itself.
    let pool: PostgresPool
    /// For what handlers and policies ask.
    let database: PostgresShare
    let watch: HandlerWatch
    let timeLimit: Duration
    let commits: BatchQueue<CommitGroup>
    let outbox: Outbox
    let failed: FailedMessages
    let retry: DatabaseRetry
    let subscriptions: Subscriptions
    let repetition: Repetition
    let nodeTimes: NodeTimes
    let deliveryBytes: Int
    let values: FaultLog
    let turnedAway: FaultLog
    private let known = BatchLoader<MessageKey, Bool> { keys, database in
        var known: [MessageKey: Bool] = [:]
        for (user, id) in try await InboxStore.known(users: keys.map(\.user), ids: keys.map(\.id), database) {
            known[MessageKey(user: user, id: id)] = true
        }
        return known
    }

    init(
        router: Router,
        pool: PostgresPool,
        database: PostgresShare,
        watch: HandlerWatch,
        timeLimit: Duration,
        commits: BatchQueue<CommitGroup>,
        outbox: Outbox,
        failed: FailedMessages,
        retry: DatabaseRetry,
        subscriptions: Subscriptions,
        repetition: Repetition,
        nodeTimes: NodeTimes,
        deliveryBytes: Int,
        values: FaultLog,
        turnedAway: FaultLog
    ) {
        self.router = router
        self.pool = pool
        self.database = database
        self.watch = watch
        self.timeLimit = timeLimit
        self.commits = commits
        self.outbox = outbox
        self.failed = failed
        self.retry = retry
        self.subscriptions = subscriptions
        self.repetition = repetition
        self.nodeTimes = nodeTimes
        self.deliveryBytes = deliveryBytes
        self.values = values
        self.turnedAway = turnedAway
    }

    /// Works on a connection's messages, of which one part of the batch is open; it is ended here.
    func process(_ run: ConnectionRun, as owner: Int = 0) async {
        let turn = Turn(run, owner, retry.during([run.batch]))
        do {
            while let envelope = try run.take(owner) {
                let outcome = try await step(envelope, turn)
                if try run.add(outcome, owner) >= Self.runLimit { await flush(try run.takeOutcomes(owner), run.batch, wait: true) }
            }
            if let outcomes = run.end(owner) { await end(run, outcomes, isWhole: true) }
        } catch {
            // Cancelled, or shutting down: the broker delivers it again. Or another task goes on with it.
            if let outcomes = run.end(owner) { await end(run, outcomes, isWhole: false) }
        }
    }

    /// Goes on behind a message whose handler did not end in its time.
    func goOn(_ run: ConnectionRun, _ owner: Int, _ failure: any Error) async {
        do {
            // It is not over, or nobody had taken it from its task.
            guard !run.batch.isLost, let envelope = run.current else { throw CancellationError() }
            try run.add(.settled(try await failed.message(envelope, attempt: run.batch.attempt, after: failure)), owner)
        } catch {
            if let outcomes = run.end(owner) { await end(run, outcomes, isWhole: false) }
            return
        }
        await process(run, as: owner)
    }

    private func end(_ run: ConnectionRun, _ outcomes: [MessageOutcome], isWhole: Bool) async {
        if let onEnd = run.onEnd { return onEnd(outcomes, isWhole) }
        if !outcomes.isEmpty, !(isWhole && run.gathering?.add(outcomes) == true) { await flush(outcomes, run.batch, wait: false) }
        if isWhole { run.batch.finish() } else { run.batch.abandon() }
    }

    /// Works on a single message until all that it brought is delivered. False where it must be left to the broker.
    ///
    /// - Parameters:
    ///   - givesUp: It is buried, and its sender told; but if it took effect before, it gets its reply.
    ///   - onBegin: Called each time that its handler's code begins.
    func finish(_ envelope: Envelope, batch: InboundBatch, givesUp: Bool, onBegin: @escaping @Sendable () -> Void = {}) async -> Bool {
        guard let outcomes = givesUp ? try? [await giveUp(envelope, batch)] : await handle(envelope, batch, onBegin) else { return false }
        await flush(outcomes, batch, wait: true)
        return !batch.isAbandoned && !Task.isCancelled
    }

    /// What a message comes to that is worked on apart; `nil` where it must be left to the broker.
    private func handle(_ envelope: Envelope, _ batch: InboundBatch, _ onBegin: @escaping @Sendable () -> Void) async -> [MessageOutcome]? {
        await withCheckedContinuation { continuation in
            let run = ConnectionRun(alone: envelope, batch: batch, onBegin: onBegin) { outcomes, isWhole in
                continuation.resume(returning: isWhole ? outcomes : nil)
            }
            watch.start(run) { [self] in await process(run) }
        }
    }

    private func giveUp(_ envelope: Envelope, _ batch: InboundBatch) async throws -> MessageOutcome {
        let error = TooManyDeaths()
        let context = Context(envelope, attempt: batch.attempt, database: pool)
        if let key = MessageKey(envelope), try await isKnown(key, context, retry.during([batch])) {
            return .refused(envelope, .internalFailure, known: key)
        }
        failed.logger.error("message is given up", metadata: failed.metadata(envelope, error))
        return .settled(try await failed.never(envelope, attempt: batch.attempt, .worker, error))
    }

    /// Hands on what was gathered, of many connections; a part of the batch must be open.
    func pass(_ gathered: [[MessageOutcome]], _ batch: InboundBatch) {
        var deliverable: [SettledMessage] = []
        for outcomes in gathered {
            if let settled = outcomes.deliverable { deliverable += settled } else { commit(CommitGroup(outcomes, of: batch)) }
        }
        if !deliverable.isEmpty { deliver(deliverable, batch, batch.completion(with: nil)) }
    }

    /// Hands on what messages came to. What one connection sends must not overtake itself: wait where more follows.
    private func flush(_ outcomes: [MessageOutcome], _ batch: InboundBatch, wait: Bool) async {
        guard !outcomes.isEmpty else { return }
        let latch = wait ? Latch(open: 1) : nil
        if let settled = outcomes.deliverable {
            deliver(settled, batch, batch.completion(with: latch))
        } else {
            commit(CommitGroup(outcomes, of: batch, latch: latch))
        }
        await latch?.wait()
    }

    private func commit(_ group: CommitGroup) {
        group.batch.begin()
        if group.batch.isLost || !commits.add(group) { group.completion.abandon() }
    }

    private func deliver(_ messages: [SettledMessage], _ batch: InboundBatch, _ completion: Completion) {
        batch.begin()
        if batch.isLost { return completion.abandon() }
        outbox.add(DeliveryPlan(messages, directory: DirectoryView(), limit: deliveryBytes), [completion])
    }

    private func step(_ envelope: Envelope, _ turn: Turn) async throws -> MessageOutcome {
        let (run, owner, retry) = (turn.run, turn.owner, turn.retry)
        let batch = run.batch
        if batch.isLost || Task.isCancelled { throw CancellationError() }
        // Of many topics at once policies ask for many things at once.
        let isSubscription = SubscribeMessage.namesTopics(envelope.type)
        let asksAlone = run.isOnlyOfBatch && !isSubscription
        let context = Context(
            envelope,
            attempt: batch.attempt,
            database: turn.reads(of: envelope.type, from: database),
            listener: turn.listener,
            memo: run.memo,
            asksAlone: asksAlone
        )
        do {
            if nodeTimes.isGivenUp(envelope) { return try await passOver(envelope, context, retry) }
            if try !(watch.isQuiet && run.enteredWithoutSlot(envelope.type, owner)), let refused = try await enter(envelope, run, owner) {
                return .settled(refused)
            }
            defer { if run.left(owner) { watch.left(envelope, run) } }
            if batch.isLost { throw CancellationError() }
            if isSubscription {
                return .committed(
                    try await subscriptions.message(envelope, context: context, retry: retry) { [timeLimit] policy in
                        try await run.limited(timeLimit, owner, policy)
                    }
                )
            }
            let limit = router.timeLimit(of: envelope.type) ?? timeLimit
            let handled = try await retry(.handlers) {
                try await run.limited(limit, owner) { try await router.run(envelope.type, json: envelope.message, context: context) }
            }
            switch handled {
            case .refused(let refusal): return try await refuse(envelope, refusal, context, retry)
            case .effects(let effects):
                let outcome: MessageOutcome
                do {
                    outcome = try MessageOutcome(of: envelope, effects: effects)
                } catch let refusal as Refusal where !envelope.type.hasPrefix("$") {
                    // More than a message may bring. A system message has no client to refuse: it fails, and an operator sees it.
                    return try await refuse(envelope, refusal, context, retry)
                }
                noteSuccess(envelope)
                if case .handled(let message) = outcome, let seal = message.seal { try run.add(.handled(seal), owner) }
                return outcome
            case .needsTransaction:
                if database.waitingTransactions >= Self.transactionLimit {
                    if case .postponed(let envelope) = try await turnAway(envelope, run) { return .settled(.postponed(envelope)) }
                    return try await refuse(envelope, Self.crowded, context, retry)
                }
                try run.waitsForCommit(true, owner)
                await flush(try run.takeOutcomes(owner), batch, wait: true)
                try run.waitsForCommit(false, owner)
                defer { run.memo?.forget() }
                let outcome = try await transact(envelope, context, run, owner, retry)
                noteSuccess(envelope)
                return outcome
            }
        } catch {
            try run.check(owner)
            if batch.isLost { throw error }
            return try await fail(envelope, error, context, retry)
        }
    }

    /// What a message comes to whose handler or policy threw.
    private func fail(_ envelope: Envelope, _ error: any Error, _ context: Context, _ retry: DatabaseRetry) async throws -> MessageOutcome {
        if let error = error as? PostgresError, error.isAboutValue {
            values.occurred(
                envelope.type,
                "the database does not take a value that a handler gave it, the message is answered invalid_fields",
                metadata: failed.metadata(envelope, error)
            )
            return try await refuse(envelope, Refusal(.invalidFields, "A field has a value that cannot be stored."), context, retry)
        }
        if let missing = FailedMessages.missing(in: error), !Task.isCancelled {
            retry.health.noteMissing(missing, of: envelope.type)
            watch.copies.waits(envelope, until: .now + failed.schedule.longest + .seconds(5))
        }
        return .settled(try await failed.message(envelope, attempt: context.attempt, after: error))
    }

    /// Its handler finds what it needs.
    private func noteSuccess(_ envelope: Envelope) { if retry.health.noteSuccess(of: envelope.type) { watch.copies.letThrough() } }

    /// Nobody waits for it any more, and its handler does not run. But a `$connect` that a worker has committed and left undelivered is repeated.
    private func passOver(_ envelope: Envelope, _ context: Context, _ retry: DatabaseRetry) async throws -> MessageOutcome {
        let isConnect = envelope.type == SystemType.connect
        // A front that takes it all the same closes the socket: with this code as the server's failure, and not as the session's end.
        guard isConnect else {
            return .settled(.refused(envelope, Refusal(.unavailable, "Nobody waited for it any more; it may be sent again.")))
        }
        guard let key = MessageKey(envelope.type, of: envelope.connection), try await isKnown(key, context, retry) else {
            return .settled(.refused(envelope, .internalFailure))
        }
        return .refused(envelope, .internalFailure, known: key)
    }

    /// What took effect before is answered as it was then, although the handler would say no by now, or it is another message under the same id.
    private func refuse(_ envelope: Envelope, _ refusal: Refusal, _ context: Context, _ retry: DatabaseRetry) async throws
        -> MessageOutcome
    {
        guard refusal.code != .unknownType, let key = MessageKey(envelope), try await isKnown(key, context, retry) else {
            return .settled(.refused(envelope, refusal))
        }
        return .refused(envelope, refusal, known: key)
    }

    /// Whether a message with this key took effect by now.
    func isKnown(_ key: MessageKey, _ context: Context, _ retry: DatabaseRetry) async throws -> Bool {
        try await retry(.own) { try await known.load(key.withoutFingerprint, context.asking(pool)) } != nil
    }
}
