import AMQP
import Logging
import SparqProtocol

/// Takes AMQP messages, reads their lines, and gives each connection's messages to a task of its own.
struct Intake: Sendable {
    let consumer: Consumer
    let processor: Processor
    let nodeRequests: BatchQueue<NodeRequest>
    let failed: FailedMessages
    let inHand: InHand
    let logger: Logger
    /// Finished when nothing more will be taken.
    let ended: AsyncStream<Never>.Continuation

    /// Works until consuming has ended and all that was taken is processed.
    func run() async {
        await withDiscardingTaskGroup { group in
            while let deliveries = await consumer.nextBatch() {
                for delivery in deliveries { take(delivery, &group) }
            }
            ended.finish()
        }
    }

    private func take(_ delivery: AMQP.Delivery, _ group: inout DiscardingTaskGroup) {
        inHand.begin()
        if Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) }
        let batch = InboundBatch { [consumer, inHand] ack in
            // Given back it goes to others; one that nobody can finish reaches its delivery limit and lies among the dead letters.
            if ack, !Sabotage.isOn(.ackBeforeCommit) { consumer.ack(delivery.tag) } else { consumer.nack(delivery.tag, requeue: true) }
            inHand.finish()
        }
        let attempt = delivery.message.headers[FailedMessages.attemptHeader]?.intValue ?? 1
        var envelopes: [Envelope] = []
        for line in NDJSON.lines(delivery.message.body) {
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
        for connection in ConnectionGroups.make(envelopes) {
            batch.begin()
            group.addTask { await processor.process(connection, attempt: attempt, batch: batch) }
        }
        batch.finish()
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
