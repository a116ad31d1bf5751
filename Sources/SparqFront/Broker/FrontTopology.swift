import AMQP
import SparqProtocol

/// What a front declares on the broker. The work queues are the workers'.
struct FrontTopology: Sendable {
    let names: BrokerNames
    let node: String
    /// The node's queue lives so long without its front. Milliseconds.
    let queueExpiry: Int

    /// For the publishing connection.
    var publishing: Topology {
        Topology(exchanges: [Exchange(names.inbound, kind: .direct)])
    }

    /// For the consuming connection: the node's exchange goes with its queue.
    var consuming: Topology {
        let name = names.node(node)
        return Topology(
            exchanges: [Exchange(names.delivery, kind: .direct), Exchange(name, kind: .fanout, autoDelete: true)],
            queues: [Queue(name, arguments: ["x-queue-type": .string("classic"), "x-expires": .int64(Int64(queueExpiry))])],
            bindings: [
                Binding(from: name, to: .queue(name)),
                Binding(from: names.delivery, to: .exchange(name), routingKey: node),
            ]
        )
    }
}
