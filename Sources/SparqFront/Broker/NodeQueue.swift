import SparqAMQP
import FaultLog
import Logging
import SparqFrontCore
import SparqWire

/// Keeps a queue of the node consumed, and takes a fresh one where the broker refuses it.
///
/// A durable classic queue lives on one broker node, and survives a broken connection with all that is in it. With that broker node down no other
/// one lets us have it, for as long as that lasts: then the next queue, on a node that is alive, takes its place. So it does where the queue is gone.
/// What the old one held comes again, but for what nobody asks for again: then clients are sent away, to come again.
final class NodeQueue: Sendable {
    private let configuration: AMQPConfiguration
    private let topology: FrontTopology
    private let prefetch: UInt16
    private let logger: Logger
    /// `nil`: nobody else can have the node's id.
    private let claim: NodeClaim?
    private let onStateChange: @Sendable (ConnectionState) -> Void
    private let onClaimLost: @Sendable () -> Void
    private let onReplaced: @Sendable () -> Void
    private let onDrop: @Sendable () -> Void
    private let faults: FaultLog
    /// The queue was full. No end: what it holds by then is another's.
    private let losses: FaultLog
    /// Those that consume, one after the other; for one reader.
    private let consumers: AsyncStream<Consumer>
    private let next: AsyncStream<Consumer>.Continuation

    /// - Parameters:
    ///   - claim: to be won before anything is consumed.
    ///   - onStateChange: as a consumer's; `connected` means that something may have been lost before.
    ///   - onClaimLost: another front has the node's id now, and nothing is consumed any more.
    ///   - onReplaced: a fresh queue is consumed in place of one, and what that held is lost.
    ///   - onDrop: the broker has dropped something of the queue, because it was full.
    init(
        configuration: AMQPConfiguration,
        topology: FrontTopology,
        prefetch: UInt16,
        claim: NodeClaim?,
        logger: Logger,
        onStateChange: @escaping @Sendable (ConnectionState) -> Void,
        onClaimLost: @escaping @Sendable () -> Void,
        onReplaced: @escaping @Sendable () -> Void,
        onDrop: @escaping @Sendable () -> Void
    ) {
        self.configuration = configuration
        self.topology = topology
        self.prefetch = prefetch
        self.claim = claim
        self.logger = logger
        self.onClaimLost = onClaimLost
        self.onStateChange = onStateChange
        self.onReplaced = onReplaced
        self.onDrop = onDrop
        faults = FaultLog(logger)
        losses = FaultLog(logger)
        (consumers, next) = AsyncStream.makeStream()
    }

    /// Consumes, while the node's id is this front's, until the task is cancelled.
    func run() async {
        defer { next.finish() }
        guard let claim else { return await keepConsuming() }
        var consuming: Task<Void, Never>?
        for await change in claim.changes {
            switch change {
            case .won: consuming = Task { await keepConsuming() }
            case .lost:
                consuming?.cancel()
                await consuming?.value
                consuming = nil
                onClaimLost()
            }
        }
        consuming?.cancel()
        await consuming?.value
    }

    private func keepConsuming() async {
        var pause = QueuePause()
        var number = 0
        var isReplacement = false
        while !Task.isCancelled {
            guard await makeQueue(after: &number) else { return }
            let wasConsumed = await consume(number, isReplacement: isReplacement)
            if wasConsumed { isReplacement = true }
            guard (try? await Task.sleep(for: pause.next(afterSuccess: wasConsumed))) != nil else { return }
        }
    }

    /// Calls `body` with all that comes, in order, and acknowledges it when that returns.
    func deliver(_ body: @Sendable ([[UInt8]]) async -> Void) async {
        for await consumer in consumers {
            // On the thread that has it already: a lone event has one thread less to wake.
            await withTaskExecutorPreference(consumer.executor) {
                while let batch = await consumer.nextBatch(), let last = batch.last {
                    let kept = batch.filter { !isLoss($0) }
                    if !kept.isEmpty { await body(kept.map(\.message.body)) }
                    // Behind what came before it: whoever that let in may have lost something too.
                    if kept.count < batch.count { noteLoss() }
                    consumer.ack(last.tag, multiple: true)
                }
            }
        }
    }

    private func isLoss(_ delivery: SparqAMQP.Delivery) -> Bool { delivery.exchange.isEmpty && BrokerNames.isOfLosses(delivery.routingKey) }

    private func noteLoss() {
        losses.occurred(
            FaultLog.single,
            "The node's queue is full, and the broker drops the oldest of it: this front is too slow. It asks again for what it may have lost, and its clients come again"
        )
        onDrop()
    }

    /// Makes the next queue. Before, it parts the node's exchange from all queues before: one whose broker node is down would have every publish to the
    /// node refused, and one that comes back would fill up for nobody. False where the task was cancelled.
    private func makeQueue(after number: inout Int) async -> Bool {
        var pause = QueuePause()
        while !Task.isCancelled {
            do throws(AMQPError) {
                let session = try await AMQPSession(configuration)
                defer { session.close() }
                // A name that the broker refused it may refuse for long.
                number += 1
                try await session.deleteExchange(topology.exchange)
                try await session.declare(topology.made(number))
                faults.ended(FaultLog.single, "The broker has made room for a queue of the node")
                return true
            } catch {
                faults.occurred(
                    FaultLog.single,
                    "The broker makes no room for a queue of the node",
                    metadata: ["error": "\(error)"]
                )
            }
            guard (try? await Task.sleep(for: pause.next(afterSuccess: false))) != nil else { return false }
        }
        return false
    }

    /// Consumes a queue until the broker refuses it, or the task is cancelled. Returns whether it was ever consumed.
    ///
    /// - Parameter isReplacement: It takes the place of one that was consumed.
    private func consume(_ number: Int, isReplacement: Bool) async -> Bool {
        let queue = topology.queue(number)
        let (outcomes, outcome) = AsyncStream.makeStream(of: Outcome.self)
        let consumer = Consumer(
            configuration: configuration,
            topology: topology.consuming(number),
            queue: queue,
            beside: topology.names.nodeLosses(queue),
            prefetch: prefetch,
            consumerTag: topology.node,
            logger: logger,
            onStateChange: { [onStateChange] state in
                switch state {
                case .connected: outcome.yield(.consumed)
                case .disconnected(let error) where error.refusesQueue: outcome.yield(.refused(error))
                default: break
                }
                onStateChange(state)
            }
        )
        next.yield(consumer)
        let running = Task { try await consumer.run() }
        return await withTaskCancellationHandler {
            var wasConsumed = false
            loop: for await outcome in outcomes {
                switch outcome {
                case .consumed:
                    guard !wasConsumed else { break }
                    wasConsumed = true
                    logger.info("The node's queue is consumed", metadata: ["queue": "\(queue)"])
                    if isReplacement { onReplaced() }
                case .refused(let error):
                    logger.warning(
                        "The broker refuses the node's queue, or has lost it: a fresh one takes its place, and clients come again",
                        metadata: ["queue": "\(queue)", "error": "\(error)"]
                    )
                    break loop
                }
            }
            running.cancel()
            _ = try? await running.value
            return wasConsumed
        } onCancel: {
            running.cancel()
            outcome.finish()
        }
    }

    private enum Outcome: Sendable {
        case consumed
        case refused(AMQPError)
    }
}

/// Between two queues, or two tries to have one: nothing after one that was consumed, else 50 ms, doubling up to 2 s.
struct QueuePause: Equatable, Sendable {
    private var failures = 0

    mutating func next(afterSuccess: Bool) -> Duration {
        if afterSuccess { failures = 0 } else { failures += 1 }
        return failures == 0 ? .zero : .milliseconds(min(2000, 50 << min(failures - 1, 8)))
    }
}

extension AMQPError {
    /// The broker does not let us have this queue, by a word or by silence, or has it no more.
    var refusesQueue: Bool {
        switch code {
        case .channelClosed, .connectionClosed:
            // `queue.declare`, `queue.bind`, and `basic.consume`; a lack of rights is nothing that another queue would mend.
            replyCode != 403 && (failedClassID == 50 || (failedClassID == 60 && failedMethodID == 20))
        case .timeout: operation.hasPrefix("queue.") || operation.hasPrefix("basic.consume")
        default: false
        }
    }
}
