import SparqAMQP
import SparqWire

/// What a front declares on the broker. The work queues are the workers'.
struct FrontTopology: Sendable {
    let names: BrokerNames
    let node: String
    /// Of the process: a node that comes back under its old id begins with a fresh queue.
    let incarnation: String
    /// The node's queue lives so long without its front. Milliseconds.
    let queueExpiry: Int
    /// What waits in the node's queue at most, before the oldest goes: a front that is slow must not fill the broker, whose alarm would stop everybody.
    var queueBytes = 64 << 20

    /// As many as cost the broker about as much beside their bodies.
    private var queueMessages: Int { max(1, queueBytes / 1024) }

    /// The node's exchange: it goes with the last queue that is bound to it.
    var exchange: String { names.node(node) }

    /// The exclusive queue of whoever has the node's id.
    var claim: String { names.nodeClaim(node) }

    /// The node's `number`th queue.
    func queue(_ number: Int) -> String { names.nodeQueue(node, incarnation: incarnation, number: number) }

    /// For the publishing connection.
    var publishing: Topology {
        Topology(exchanges: [Exchange(names.inbound, kind: .direct)])
    }

    /// The node's `number`th queue, and where the broker tells what it dropped of it.
    ///
    /// They are made once, before the queue is consumed. So nobody makes the queue anew unnoticed: where it has gone with all that was in it, the
    /// connection that consumes it is refused.
    func made(_ number: Int) -> Topology {
        let queue = queue(number)
        let losses = losses(number)
        return Topology(queues: [
            losses,
            // Durable, because the broker takes no other that outlives its connection; classic, because it lives briefly.
            Queue(
                queue,
                arguments: [
                    "x-queue-type": .string("classic"), "x-expires": .int64(Int64(queueExpiry)),
                    "x-max-length-bytes": .int64(Int64(queueBytes)), "x-max-length": .int64(Int64(queueMessages)),
                    "x-overflow": .string("drop-head"),
                    "x-dead-letter-exchange": .string(""), "x-dead-letter-routing-key": .string(losses.name),
                ]
            ),
        ])
    }

    /// For the connection that consumes the node's `number`th queue, which was ``made(_:)``.
    func consuming(_ number: Int) -> Topology {
        let queue = queue(number)
        return Topology(
            exchanges: [Exchange(names.delivery, kind: .direct), Exchange(exchange, kind: .fanout, autoDelete: true)],
            queues: [losses(number), Queue(queue, isPassive: true)],
            bindings: [
                Binding(from: exchange, to: .queue(queue)),
                Binding(from: names.delivery, to: .exchange(exchange), routingKey: node),
            ]
        )
    }

    private func losses(_ number: Int) -> Queue {
        Queue(
            names.nodeLosses(queue(number)),
            arguments: ["x-queue-type": .string("classic"), "x-expires": .int64(Int64(queueExpiry)), "x-max-length": .int64(1)]
        )
    }
}
