import FaultLog
import Logging
import ServiceLifecycle
import SparqAMQP
import SparqWire

/// Takes AMQP messages of one queue, each in a task of its own, reads their lines, and gives each connection's messages to a task of its own in turn.
///
/// What workers may have died over it does not work on, but moves to the suspects: see ``SuspectIntake``.
struct Intake: Sendable {
    let consumer: Consumer
    /// Where a message that comes alone is worked on.
    let alone: any TaskExecutor
    let processor: Processor
    let lines: InboundLines
    let failed: FailedMessages
    let inHand: Latch
    /// Handlers run for these messages, and may take the process along.
    let isWary: Bool
    let suspicions: FaultLog
    /// Finished when nothing more will be taken.
    let ended: AsyncStream<Never>.Continuation

    /// Works until consuming has ended and all that was taken has begun; what is at work then, ``HandlerWatch`` knows.
    func run() async {
        await withTaskExecutorPreference(consumer.executor) {
            await withDiscardingTaskGroup { group in
                while let deliveries = await consumer.nextBatch() {
                    for _ in deliveries { inHand.begin() }
                    let suspects = deliveries.filter(isSuspect)
                    if !suspects.isEmpty { await move(suspects, &group) }
                    // What comes alone has few threads to wake on its way where handlers run; a crowd is for all cores.
                    let isAlone = deliveries.count == 1 && deliveries[0].message.body.count <= Self.smallBody
                    for delivery in deliveries where !isSuspect(delivery) {
                        let executor = isAlone ? alone : globalConcurrentExecutor
                        group.addTask(executorPreference: executor) { await take(delivery, on: executor) }
                    }
                }
                ended.finish()
            }
        }
    }

    /// Bytes of an AMQP message that counts as alone.
    private static let smallBody = 4096

    private func isSuspect(_ delivery: SparqAMQP.Delivery) -> Bool { isWary && Suspicion.isRaised(by: delivery.message) }

    /// Before anything else is worked on: whoever dies over that must not take the suspects along, so that their count grows.
    private func move(_ suspects: [SparqAMQP.Delivery], _ group: inout DiscardingTaskGroup) async {
        let moved = Latch(open: 1)
        for suspect in suspects {
            moved.begin()
            group.addTask(executorPreference: globalConcurrentExecutor) {
                await move(suspect)
                moved.finish()
            }
        }
        moved.finish()
        // The broker may not take them for long.
        await cancelWhenGracefulShutdown { await moved.wait() }
    }

    /// What each connection sent on its own, instead of the whole. A worker that dies meanwhile leaves the whole beside its parts: the inbox knows what
    /// comes twice.
    private func move(_ delivery: SparqAMQP.Delivery) async {
        suspicions.occurred(level: .info, "workers may have died over messages, they are worked on apart")
        let batch = InboundBatch(delivery, of: consumer, inHand)
        await withDiscardingTaskGroup { group in
            for connection in ConnectionGroups.make(lines.read(delivery.message.body, batch, &group)) {
                batch.begin()
                group.addTask {
                    let isMoved = batch.isLost ? false : await failed.suspect(connection, of: batch)
                    if isMoved { batch.finish() } else { batch.abandon() }
                }
            }
            batch.finish()
        }
    }

    private func take(_ delivery: SparqAMQP.Delivery, on executor: any TaskExecutor) async {
        let batch = InboundBatch(delivery, of: consumer, inHand)
        await withDiscardingTaskGroup { group in
            let envelopes = lines.read(delivery.message.body, batch, &group)
            let gathering = Gathering(isOnlyOfBatch: envelopes.count == 1)
            for connection in ConnectionGroups.make(envelopes) {
                batch.begin()
                // Not in the group: a handler that does not end must not hold up its end.
                let run = ConnectionRun(connection, batch: batch, gathering: gathering)
                processor.watch.start(run, on: executor) { await processor.process(run) }
            }
            processor.pass(gathering.close(), batch)
            batch.finish()
        }
    }
}
