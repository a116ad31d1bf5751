import AMQP
import SparqProtocol

/// What a front declares on the broker. The work queues are the workers'.
struct FrontTopology: Sendable {
    /// What waits in a node's queue at most, before the oldest goes: far above what a front is behind with, so that one that is stuck for good
    /// cannot fill the broker.
    static let queueBytes: Int64 = 512 << 20

    let names: BrokerNames
    let node: String
    /// Of the process: a node that comes back under its old id begins with a fresh queue.
    let incarnation: String
    /// The node's queue lives so long without its front. Milliseconds.
    let queueExpiry: Int

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

    /// For the connection that consumes the node's `number`th queue.
    func consuming(_ number: Int) -> Topology {
        let queue = queue(number)
        return Topology(
            exchanges: [Exchange(names.delivery, kind: .direct), Exchange(exchange, kind: .fanout, autoDelete: true)],
            queues: [
                // Durable, because the broker takes no other that outlives its connection; classic, because it lives briefly.
                Queue(
                    queue,
                    arguments: [
                        "x-queue-type": .string("classic"), "x-expires": .int64(Int64(queueExpiry)),
                        "x-max-length-bytes": .int64(Self.queueBytes),
                    ]
                )
            ],
            bindings: [
                Binding(from: exchange, to: .queue(queue)),
                Binding(from: names.delivery, to: .exchange(exchange), routingKey: node),
            ]
        )
    }
}
