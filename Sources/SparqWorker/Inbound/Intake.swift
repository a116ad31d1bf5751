import AMQP
import Logging
import SparqProtocol

/// Takes AMQP messages of one queue, each in a task of its own, reads their lines, and gives each connection's messages to a task of its own in turn.
///
/// Those that workers may have died over are taken one by one, in any order: see ``Suspicion``.
struct Intake: Sendable {
    let consumer: Consumer
    /// Where a message that comes alone is worked on.
    let alone: any TaskExecutor
    let processor: Processor
    let nodeRequests: BatchQueue<NodeRequest>
    let failed: FailedMessages
    let inHand: InHand
    /// Handlers run for these messages, and may take the process along.
    let isWary: Bool
    let logger: Logger
    /// Finished when nothing more will be taken.
    let ended: AsyncStream<Never>.Continuation

    /// Works until consuming has ended and all that was taken is processed.
    func run() async {
        await withTaskExecutorPreference(consumer.executor) {
            await withDiscardingTaskGroup { group in
                let suspects = Suspects()
                group.addTask(executorPreference: globalConcurrentExecutor) { await workOff(suspects) }
                while let deliveries = await consumer.nextBatch() {
                    // What comes alone has few threads to wake on its way where handlers run; a crowd is for all cores.
                    let isAlone = deliveries.count == 1 && deliveries[0].message.body.count <= Self.smallBody
                    for delivery in deliveries {
                        inHand.begin()
                        if isWary, Suspicion(of: delivery.message) > .none {
                            suspects.add(delivery)
                        } else {
                            group.addTask(executorPreference: isAlone ? alone : globalConcurrentExecutor) { await take(delivery) }
                        }
                    }
                }
                suspects.close()
                ended.finish()
            }
        }
    }

    /// Bytes of an AMQP message that counts as alone.
    private static let smallBody = 4096
    /// So long the next one waits: what kills, kills at once; what only takes long must not hold up the others.
    private static let patience: Duration = .milliseconds(200)
    /// Those that were in hand together come right behind each other.
    private static let gatheringTime: Duration = .milliseconds(50)

    private func workOff(_ suspects: Suspects) async {
        await withDiscardingTaskGroup { group in
            for await _ in suspects.signals {
                try? await Task.sleep(for: Self.gatheringTime)
                while let delivery = suspects.take() {
                    let finished = Delivered()
                    group.addTask { await take(delivery, finished) }
                    await finished.wait(for: Self.patience)
                }
            }
            // Left by a cancellation: each is given back.
            while let delivery = suspects.take() { group.addTask { await take(delivery) } }
        }
    }

    /// - Parameter finished: Told when nothing of it is open any more.
    private func take(_ delivery: AMQP.Delivery, _ finished: Delivered? = nil) async {
        if Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) }
        let attempt = delivery.message.headers[FailedMessages.attemptHeader]?.intValue ?? 1
        let batch = InboundBatch(attempt: attempt, isLost: { [consumer, tag = delivery.tag] in !consumer.isCurrent(tag) }) {
            [consumer, inHand] ack in
            // Given back it goes to others; one that nobody can finish reaches its delivery limit and lies among the dead letters.
            if ack, !Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) } else { consumer.nack(delivery.tag, requeue: true) }
            inHand.finish()
            finished?.finish()
        }
        let suspicion = isWary ? Suspicion(of: delivery.message) : .none
        await withDiscardingTaskGroup { group in
            let envelopes = read(delivery.message.body, batch, &group)
            let gathering = Gathering(isOnlyOfBatch: envelopes.count == 1)
            let connections = ConnectionGroups.make(envelopes)
            if suspicion >= .apart, let first = connections.first {
                return await connections.count > 1 ? takeApart(connections, batch) : workOn(first, suspicion, batch)
            }
            for connection in connections {
                batch.begin()
                // Begins here and now: a handler that has nothing to wait for is through with it when this returns.
                group.addImmediateTask { await processor.process(connection, batch: batch, gathering: gathering) }
            }
            processor.pass(gathering.close(), batch)
            batch.finish()
        }
    }

    /// Publishes what each connection sent on its own, instead of the whole: whoever dies over one does no more harm to the others.
    private func takeApart(_ connections: [[Envelope]], _ batch: InboundBatch) async {
        logger.warning("workers died over a batch, it is taken apart", metadata: ["connections": "\(connections.count)"])
        for connection in connections {
            // After a moment: until then the whole is acked, and comes not again beside its parts.
            guard !batch.isLost, await failed.again(connection, attempt: batch.attempt, afterPause: true) else { return batch.abandon() }
        }
        batch.finish()
    }

    /// The first message of a connection alone; what is behind it goes on as a batch of its own when that is through.
    private func workOn(_ envelopes: [Envelope], _ suspicion: Suspicion, _ batch: InboundBatch) async {
        guard let first = envelopes.first, await processor.finish(first, batch: batch, givesUp: suspicion == .givenUp) else {
            return batch.abandon()
        }
        if envelopes.count > 1 {
            let rest = Array(envelopes.dropFirst())
            guard !batch.isLost, await failed.again(rest, attempt: batch.attempt, afterPause: false) else { return batch.abandon() }
        }
        batch.finish()
    }

    /// The messages of a batch, without what nodes send by themselves.
    private func read(_ body: [UInt8], _ batch: InboundBatch, _ group: inout DiscardingTaskGroup) -> [Envelope] {
        var envelopes: [Envelope] = []
        for line in NDJSON.lines(body) {
            do throws(JSONError) {
                let envelope = try Envelope(line: line)
                do {
                    if let request = try NodeRequest(envelope, batch: batch) {
                        batch.begin()
                        if !nodeRequests.add(request, weight: request.weight) { batch.abandon() }
                    } else {
                        envelopes.append(envelope)
                    }
                } catch {
                    bury(line, error, batch, &group)
                }
            } catch {
                bury(line, error, batch, &group)
            }
        }
        return envelopes
    }

    private func bury(_ line: ArraySlice<UInt8>, _ error: any Error, _ batch: InboundBatch, _ group: inout DiscardingTaskGroup) {
        logger.error("a line of a batch is malformed", metadata: ["error": "\(error)"])
        batch.begin()
        group.addTask {
            let fate = await failed.bury(line: line, error)
            if fate == .dead { batch.finish() } else { batch.abandon() }
        }
    }
}
