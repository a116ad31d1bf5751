import SparqAMQP
import FaultLog
import Logging
import ServiceLifecycle
import SparqWire

/// Works on what workers may have died over. Those that nothing is held against run together; as soon as a worker died over them each runs with no other
/// suspect beside it. What kills is given up, the others go through: see ``Lives``.
///
/// Each AMQP message is of one connection. Its first message is worked on; what is behind it goes on as a suspect of its own when that is through.
struct SuspectIntake: Sendable {
    private struct Suspect: Sendable {
        var batch: InboundBatch
        var envelopes: [Envelope]
        /// Names its first message: the same as its dead letter's id.
        var key: String
    }

    let consumer: Consumer
    let processor: Processor
    let lines: InboundLines
    let failed: FailedMessages
    let signs: LifeSigns
    let retry: DatabaseRetry
    let inHand: Latch
    let settings: SuspectSettings
    let logger: Logger
    let troubles: FaultLog
    /// Finished when nothing more will be taken.
    let ended: AsyncStream<Never>.Continuation
    /// Works until consuming has ended and all that was taken is processed.
    func run() async {
        await withDiscardingTaskGroup { group in
            let retrial = ContinuousClock.now + settings.retrialAge.mostlyShort
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: settings.minimalAge.any) }
            while let deliveries = await consumer.nextBatch() {
                var suspects: [Suspect] = []
                for delivery in deliveries {
                    inHand.begin()
                    if let suspect = read(delivery, &group) { suspects.append(suspect) }
                }
                do {
                    try await examine(suspects, retriesFrom: retrial, &group)
                    troubles.ended(FaultLog.single, "suspects are worked on again")
                } catch {
                    if suspects.contains(where: \.batch.isLost) || Task.isCancelled || Task.isShuttingDownGracefully { continue }
                    troubles.occurred(FaultLog.single, "suspects cannot be worked on, they are given back", metadata: ["error": "\(error)"])
                    // They come again at once.
                    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: settings.renewal) }
                }
            }
            ended.finish()
        }
    }

    private func read(_ delivery: SparqAMQP.Delivery, _ group: inout DiscardingTaskGroup) -> Suspect? {
        let batch = InboundBatch(delivery, of: consumer, inHand)
        let envelopes = lines.read(delivery.message.body, batch, &group)
        guard let first = envelopes.first else {
            batch.finish()
            return nil
        }
        return Suspect(batch: batch, envelopes: envelopes, key: DeadLetter.id(of: first.line))
    }

    /// Throws where the database cannot be asked any more; those that are left are given back.
    private func examine(_ suspects: [Suspect], retriesFrom retrial: ContinuousClock.Instant, _ group: inout DiscardingTaskGroup)
        async throws
    {
        var rest = suspects[...]
        defer { for suspect in rest { suspect.batch.abandon() } }
        let untilLost = retry.during(suspects.map(\.batch))
        let lives = try await cancelWhenGracefulShutdown { try await untilLost(.followUp) { try await signs.lives() } }
        let mayRetry = ContinuousClock.now >= retrial
        let judged = Dictionary(grouping: suspects) { suspect in
            let verdict = lives.verdict(on: suspect.key)
            return verdict == .again && !mayRetry ? .later : verdict
        }
        rest = []
        for suspect in judged[.later] ?? [] { group.addTask { await putOff(suspect) } }
        for suspect in judged[.givenUp] ?? [] { group.addTask { await finish(suspect, givesUp: true) } }
        var runs = [judged[.together] ?? []].filter { !$0.isEmpty }
        // In any order: the broker keeps theirs, and so the same one would be at work when a worker dies of old age.
        runs += ((judged[.alone] ?? []) + (judged[.again] ?? [])).shuffled().map { [$0] }
        var left = runs[...]
        defer { for suspect in left.joined() { suspect.batch.abandon() } }
        while let run = left.popFirst() {
            if let suspect = run.first, lives.isImplicated(suspect.key) {
                logger.notice("a worker died that had this message, it runs alone", metadata: failed.metadata(suspect.envelopes[0]))
            }
            try await work(on: run, lives, &group)
        }
    }

    private func putOff(_ suspect: Suspect) async {
        let isPutOff = await failed.suspect(suspect.envelopes, of: suspect.batch, after: settings.pause)
        if isPutOff { suspect.batch.finish() } else { suspect.batch.abandon() }
    }

    /// Works on some, until all are through or have had their time. Whoever finds that the worker died meanwhile knows over what.
    private func work(on suspects: [Suspect], _ lives: Lives, _ group: inout DiscardingTaskGroup) async throws {
        let trial = SuspectTrial(patience: settings.patience)
        let finished = Latch(open: 1)
        let keys = Set(suspects.map(\.key)).sorted()
        let untilLost = retry.during(suspects.map(\.batch))
        do {
            if Task.isShuttingDownGracefully { throw CancellationError() }
            try await cancelWhenGracefulShutdown { try await untilLost(.followUp) { try await signs.note(keys) } }
        } catch {
            for suspect in suspects { suspect.batch.abandon() }
            throw error
        }
        for suspect in suspects {
            finished.begin()
            group.addTask {
                if await finish(suspect, givesUp: false, onBegin: { trial.begins(suspect.key) }) { trial.ends(suspect.key) }
                finished.finish()
            }
        }
        finished.finish()
        var left = settings.patience
        while left > .zero {
            let rest = left
            await cancelWhenGracefulShutdown { await finished.wait(for: rest) }
            // Killed: the row stays as it is.
            try Task.checkCancellation()
            left = finished.open == 0 || Task.isShuttingDownGracefully ? .zero : trial.left(keys)
        }
        // What does not kill in its time is not what kills.
        let lost = Set(suspects.filter(\.batch.isLost).map(\.key))
        let innocent = trial.survivors(keys).filter { lives.isImplicated($0) && !lost.contains($0) }
        try await cancelWhenGracefulShutdown {
            try await retry(.followUp) {
                if !innocent.isEmpty { try await signs.acquit(innocent) }
                try await signs.note([])
            }
        }
    }

    /// The first message of a connection; what is behind it goes on when that is through. False where it is left to the broker.
    @discardableResult
    private func finish(_ suspect: Suspect, givesUp: Bool, onBegin: @escaping @Sendable () -> Void = {}) async -> Bool {
        let batch = suspect.batch
        guard await processor.finish(suspect.envelopes[0], batch: batch, givesUp: givesUp, onBegin: onBegin) else {
            batch.abandon()
            return false
        }
        let rest = Array(suspect.envelopes.dropFirst())
        if !rest.isEmpty {
            guard !batch.isLost, await failed.suspect(rest, of: batch) else {
                batch.abandon()
                return false
            }
        }
        batch.finish()
        return true
    }
}
