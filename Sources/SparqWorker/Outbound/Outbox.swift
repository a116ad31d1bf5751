import SparqAMQP
import DequeModule
import FaultLog
import Logging
import SparqWire
import Synchronization

/// Publishes to nodes: for each node one AMQP message at a time, so that none overtakes another; what comes meanwhile travels together in
/// the next.
///
/// A message that comes back has no queue: its node is gone, or its exchange or binding was deleted and the front has not declared them anew yet,
/// or the front is about to take a fresh queue. So it is published again for a while.
final class Outbox: Sendable {
    private struct Item {
        var message: DeliveryPlan.Message
        /// Ends when every AMQP message of the same plan is confirmed.
        var completion: Completion
    }

    /// For how long what comes back is published again.
    struct Patience: Sendable {
        /// For what a front asks for again where it has lost it. Twice the time between two looks of a front at its topology.
        var replaceable: Duration = .seconds(10)
        /// What nobody asks for again: longer than it takes a front to notice that its broker node is dead.
        var irreplaceable: Duration = .seconds(30)
        /// Between two tries.
        var pause: Duration = .milliseconds(250)
    }

    /// Whether the broker writes to its disk what a front asks for again where the queue lost it. It costs more than all else of a delivery.
    private static let keepsReplaceable = false

    private let publisher: ConfirmedPublisher
    private let names: BrokerNames
    private let limit: Int
    private let patience: Patience
    /// One fault for each node. It has no end: a node that comes back is another one.
    private let gone: FaultLog
    /// What waits, for each node that a message is on its way to.
    private let nodes = Mutex<[String: Deque<Item>]>([:])

    init(publisher: ConfirmedPublisher, names: BrokerNames, limit: Int, patience: Patience = Patience(), logger: Logger) {
        self.patience = patience
        self.publisher = publisher
        self.names = names
        self.limit = limit
        gone = FaultLog(logger)
    }

    /// Publishes a plan; these are told when all of it is confirmed.
    func add(_ plan: DeliveryPlan, _ completions: [Completion]) {
        let messages = plan.messages
        guard !messages.isEmpty else {
            for completion in completions { completion.finish() }
            return
        }
        let ofPlan = Completion(parts: messages.count) { isWhole in
            for completion in completions { completion.end(isFinished: isWhole) }
        }
        let idle = nodes.withLock { nodes in
            messages.filter { message in
                let isIdle = nodes[message.node] == nil
                nodes[message.node, default: []].append(Item(message: message, completion: ofPlan))
                return isIdle
            }
        }
        // Unstructured, because nodes come and go; each ends when there is nothing for its node, or the publisher has ended.
        for message in idle { Task.immediate(executorPreference: publisher.executor) { await self.drain(message.node) } }
    }

    private func drain(_ node: String) async {
        var returnedSince: ContinuousClock.Instant?
        while let items = next(node) {
            let isIrreplaceable = items.contains { $0.message.isIrreplaceable }
            var body = items[0].message.body
            if items.count > 1 {
                body.reserveCapacity(items.reduce(0) { $0 + $1.message.body.count })
                for item in items.dropFirst() { body += item.message.body }
            }
            let message = AMQPMessage(
                body: body,
                contentType: NDJSON.contentType,
                persistent: Self.keepsReplaceable || isIrreplaceable
            )
            var left = Unpublished(message)
            var outcome = await publish(&left, to: node)
            if outcome == .unroutable {
                // What waits behind the first that came back has waited as long.
                let begin = returnedSince ?? .now
                returnedSince = begin
                let end = begin + (isIrreplaceable ? patience.irreplaceable : patience.replaceable)
                while outcome == .unroutable, .now < end {
                    try? await Task.sleep(for: patience.pause)
                    outcome = await publish(&left, to: node)
                }
            }
            if outcome != .unroutable {
                returnedSince = nil
            } else {
                // Its clients resume at other nodes.
                gone.occurred(node, level: .info, "node is gone, what was for it is dropped", metadata: ["node": "\(node)"])
            }
            for item in items { item.completion.end(isFinished: outcome != .ended) }
        }
    }

    /// Publishes what is left, as far as that goes.
    private func publish(_ left: inout Unpublished, to node: String) async -> ConfirmedPublisher.Outcome {
        while let message = left.next {
            let outcome = await publisher.publish(message, exchange: names.delivery, routingKey: node, mandatory: true)
            switch outcome {
            case .confirmed: left.confirmed()
            case .refused: left.refused()
            case .unroutable, .ended: return outcome
            }
        }
        return .confirmed
    }

    private func next(_ name: String) -> [Item]? {
        nodes.withLock { nodes in
            var batch: [Item] = []
            var bytes = 0
            while let first = nodes[name]?.first, batch.isEmpty || bytes + first.message.body.count <= limit {
                bytes += first.message.body.count
                batch.append(first)
                nodes[name]?.removeFirst()
            }
            guard batch.isEmpty else { return batch }
            nodes[name] = nil
            return nil
        }
    }
}
