import AMQP
import Logging
import SparqProtocol

/// Takes AMQP messages of one queue, each in a task of its own, reads their lines, and gives each connection's messages to a task of its own in turn.
struct Intake: Sendable {
    let consumer: Consumer
    /// Where a message that comes alone is worked on.
    let alone: any TaskExecutor
    let processor: Processor
    let nodeRequests: BatchQueue<NodeRequest>
    let failed: FailedMessages
    let inHand: InHand
    let logger: Logger
    /// Finished when nothing more will be taken.
    let ended: AsyncStream<Never>.Continuation

    /// Works until consuming has ended and all that was taken is processed.
    func run() async {
        await withTaskExecutorPreference(consumer.executor) {
            await withDiscardingTaskGroup { group in
                while let deliveries = await consumer.nextBatch() {
                    // What comes alone has few threads to wake on its way where handlers run; a crowd is for all cores.
                    let isAlone = deliveries.count == 1 && deliveries[0].message.body.count <= Self.smallBody
                    for delivery in deliveries {
                        inHand.begin()
                        group.addTask(executorPreference: isAlone ? alone : globalConcurrentExecutor) { await take(delivery) }
                    }
                }
                ended.finish()
            }
        }
    }

    /// Bytes of an AMQP message that counts as alone.
    private static let smallBody = 4096

    private func take(_ delivery: AMQP.Delivery) async {
        if Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) }
        let attempt = delivery.message.headers[FailedMessages.attemptHeader]?.intValue ?? 1
        let batch = InboundBatch(attempt: attempt, isLost: { [consumer, tag = delivery.tag] in !consumer.isCurrent(tag) }) {
            [consumer, inHand] ack in
            // Given back it goes to others; one that nobody can finish reaches its delivery limit and lies among the dead letters.
            if ack, !Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) } else { consumer.nack(delivery.tag, requeue: true) }
            inHand.finish()
        }
        await withDiscardingTaskGroup { group in
            let envelopes = read(delivery.message.body, batch, &group)
            let gathering = Gathering(isOnlyOfBatch: envelopes.count == 1)
            for connection in ConnectionGroups.make(envelopes) {
                batch.begin()
                // Begins here and now: a handler that has nothing to wait for is through with it when this returns.
                group.addImmediateTask { await processor.process(connection, batch: batch, gathering: gathering) }
            }
            processor.pass(gathering.close(), batch)
            batch.finish()
        }
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
