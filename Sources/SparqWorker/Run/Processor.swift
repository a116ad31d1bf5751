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
        do {
            while let envelope = try run.take(owner) {
                if run.hasWaited { watch.copies.runs(run) }
                let outcome = try await step(envelope, run, owner)
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
            guard let envelope = run.current else { return }
            if run.batch.isLost { throw CancellationError() }
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
    /// - Parameter givesUp: It is buried, and its sender told; but if it took effect before, it gets its reply.
    func finish(_ envelope: Envelope, batch: InboundBatch, givesUp: Bool) async -> Bool {
        guard let outcomes = givesUp ? try? [await giveUp(envelope, batch)] : await handle(envelope, batch) else { return false }
        await flush(outcomes, batch, wait: true)
        return !batch.isAbandoned && !Task.isCancelled
    }

    /// What a message comes to that is worked on apart; `nil` where it must be left to the broker.
    private func handle(_ envelope: Envelope, _ batch: InboundBatch) async -> [MessageOutcome]? {
        await withCheckedContinuation { continuation in
            let run = ConnectionRun(alone: envelope, batch: batch) { outcomes, isWhole in
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

    private func step(_ envelope: Envelope, _ run: ConnectionRun, _ owner: Int) async throws -> MessageOutcome {
        let batch = run.batch
        if batch.isLost || Task.isCancelled { throw CancellationError() }
        let retry = retry.during([batch])
        // Of many topics at once policies ask for many things at once.
        let isSubscription = SubscribeMessage.namesTopics(envelope.type)
        let asksAlone = run.isOnlyOfBatch && !isSubscription
        let reads = database.reads(of: envelope.type) { [run] in run.waits($0, owner) }
        let context = Context(envelope, attempt: batch.attempt, database: reads, memo: run.memo, asksAlone: asksAlone)
        do {
            if nodeTimes.isGivenUp(envelope) { return try await passOver(envelope, context, retry) }
            if !watch.copies.isQuiet, let refused = try await standAside(envelope, run) { return .settled(refused) }
            if try !(watch.admission.isQuiet && run.enteredWithoutSlot(envelope.type, owner)) {
                guard await watch.admission.enter(envelope.type, batch) else {
                    try Task.checkCancellation()
                    return .settled(try await turnAway(envelope, run))
                }
                do { try run.entered(envelope.type, owner) } catch {
                    watch.admission.leave(envelope.type, batch)
                    throw error
                }
            }
            defer { if run.left(owner) { watch.admission.leave(envelope.type, batch) } }
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
                    // More than a message may bring. Of what nobody has sent, an operator must hear.
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
                await flush(try run.takeOutcomes(owner), batch, wait: true)
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

    private static let crowded = Refusal(.unavailable, "Too many messages of this type wait, or take long. Send it again later.")

    /// A message for which there is no room. Whoever waits for its answer sends it again; what nobody would send again waits elsewhere.
    private func turnAway(_ envelope: Envelope, _ run: ConnectionRun) async throws -> SettledMessage {
        turnedAway.occurred(
            envelope.type,
            "messages of a type are slow and many, further ones are refused, or tried again later",
            metadata: ["type": "\(envelope.type)"]
        )
        if run.batch.isAwaited, !envelope.type.hasPrefix("$") { return .refused(envelope, Self.crowded) }
        return try await failed.message(envelope, attempt: run.batch.attempt, after: NotItsTurn(reason: "too many of its type"))
    }

    /// A message that must not begin now, because a copy of it is at work. `nil` where it may.
    private func standAside(_ envelope: Envelope, _ run: ConnectionRun) async throws -> SettledMessage? {
        let isFirst = run.batch.attempt == 1
        var pause: Duration = .milliseconds(1)
        while true {
            switch watch.copies.standing(of: envelope, in: run, isFirst: isFirst) {
            case .free: return nil
            case .stray: throw TransientFailure("an earlier run of its handler has not ended")
            // A second, all in all.
            case .running where pause < .seconds(1):
                try await Task.sleep(for: pause)
                pause *= 2
            case .running, .waiting:
                return .refused(envelope, Refusal(.unavailable, "The same message came before, and is not finished yet."))
            }
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
    private func isKnown(_ key: MessageKey, _ context: Context, _ retry: DatabaseRetry) async throws -> Bool {
        try await retry(.own) { try await known.load(key.withoutFingerprint, context.asking(pool)) } != nil
    }

    /// Handler, inbox row and durable events in one transaction.
    private func transact(_ envelope: Envelope, _ context: Context, _ run: ConnectionRun, _ owner: Int, _ retry: DatabaseRetry)
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
        var message = try HandledMessage(envelope, effects: effects)
        message.entry = key.map(HandledMessage.Entry.message)
        guard message.needsCommit else { return .committed(message.rest) }
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
