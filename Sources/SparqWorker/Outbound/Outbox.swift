import AMQP
import DequeModule
import Logging
import SparqProtocol
import Synchronization

/// Publishes to nodes: for each node a few AMQP messages at a time; what comes meanwhile travels together in the next.
final class Outbox: Sendable {
    private struct Item {
        var body: [UInt8]
        var dispatch: Dispatch
    }

    private struct Node {
        var items: Deque<Item> = []
        var running = 0
    }

    private let broker: Broker
    private let names: BrokerNames
    private let limit: Int
    private let concurrency: Int
    private let logger: Logger
    private let nodes = Mutex<[String: Node]>([:])

    init(broker: Broker, names: BrokerNames, limit: Int, concurrency: Int, logger: Logger) {
        self.broker = broker
        self.names = names
        self.limit = limit
        self.concurrency = max(1, concurrency)
        self.logger = logger
    }

    /// Publishes a plan; the tickets are told when all of it is confirmed.
    func add(_ plan: DeliveryPlan, tickets: [Ticket]) {
        let messages = plan.messages
        guard !messages.isEmpty else {
            for ticket in tickets { ticket.finish() }
            return
        }
        let dispatch = Dispatch(messages: messages.count, tickets: tickets)
        let idle = nodes.withLock { nodes in
            messages.filter { message in
                nodes[message.node, default: Node()].items.append(Item(body: message.body, dispatch: dispatch))
                guard let running = nodes[message.node]?.running, running < concurrency else { return false }
                nodes[message.node]?.running += 1
                return true
            }
        }
        // Unstructured, because nodes come and go; each ends when there is nothing for its node, or the publisher has ended.
        for message in idle { Task.immediate { await self.drain(message.node) } }
    }

    private func drain(_ node: String) async {
        while let items = next(node) {
            var body = items[0].body
            if items.count > 1 {
                body.reserveCapacity(items.reduce(0) { $0 + $1.body.count })
                for item in items.dropFirst() { body += item.body }
            }
            let message = AMQPMessage(body: body, contentType: NDJSON.contentType)
            let outcome = await broker.publish(message, exchange: names.delivery, routingKey: node, mandatory: true)
            if outcome == .unroutable {
                // Its clients resume at other nodes.
                logger.info("node is gone, what was for it is dropped", metadata: ["node": "\(node)"])
            }
            for item in items { item.dispatch.finish(confirmed: outcome != .ended) }
        }
    }

    private func next(_ name: String) -> [Item]? {
        nodes.withLock { nodes in
            var batch: [Item] = []
            var bytes = 0
            while let first = nodes[name]?.items.first, batch.isEmpty || bytes + first.body.count <= limit {
                bytes += first.body.count
                batch.append(first)
                nodes[name]?.items.removeFirst()
            }
            guard batch.isEmpty else { return batch }
            nodes[name]?.running -= 1
            if nodes[name]?.running == 0 { nodes[name] = nil }
            return nil
        }
    }
}
