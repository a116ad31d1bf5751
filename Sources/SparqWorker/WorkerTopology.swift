public import SparqAMQP
public import SparqWire

/// The exchanges and queues that workers declare (docs/internals/ARCHITECTURE.md, "Names at the broker").
public enum WorkerTopology {
    /// How often the broker delivers a batch before it counts as poison. Workers move what comes again and again to the suspects' queue long before;
    /// only where twenty in a row died before they could do so is it reached.
    public static let deliveryLimit: AMQPValue = 20

    /// For the dead letters and the suspects no limit, as good as: looking at a letter delivers it, and workers die again and again that have innocent
    /// suspects in hand; beyond the limit a queue without a dead-letter exchange drops. RabbitMQ 4 has a limit of 20 where none is named; 3.10 takes no word for "none". With one the broker delivers what
    /// is given back before what it never delivered, without one 4.x puts it to the end.
    static let noDeliveryLimit: AMQPValue = 1_000_000_000

    /// What a worker of a lane needs.
    ///
    /// - Parameter suspectPause: How long a suspect waits that is put off.
    public static func topology(
        names: BrokerNames,
        lane: String,
        retryDelays: [Duration],
        suspectPause: Duration = SuspectSettings().pause
    ) -> Topology {
        let quorum: [String: AMQPValue] = ["x-queue-type": "quorum"]
        // Without these a broker that dies while it moves a message to another queue loses it.
        let safe = quorum.merging(["x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"]) { $1 }
        let work = Queue(
            names.work(lane: lane),
            arguments: safe.merging([
                "x-delivery-limit": deliveryLimit, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(names.dead),
            ]) { $1 }
        )
        let retries = retryDelays.map { delay in
            Queue(
                retryQueue(names: names, lane: lane, delay: delay),
                arguments: safe.merging([
                    "x-message-ttl": .int64(delay.milliseconds),
                    "x-dead-letter-exchange": .string(names.inbound), "x-dead-letter-routing-key": .string(lane),
                ]) { $1 }
            )
        }
        let suspects = [
            Queue(names.suspect(lane: lane), arguments: quorum.merging(["x-delivery-limit": noDeliveryLimit]) { $1 }),
            Queue(
                suspectPauseQueue(names: names, lane: lane, pause: suspectPause),
                arguments: safe.merging([
                    "x-message-ttl": .int64(suspectPause.milliseconds),
                    "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(names.suspect(lane: lane)),
                ]) { $1 }
            ),
        ]
        return Topology(
            exchanges: [Exchange(names.inbound, kind: .direct), Exchange(names.delivery, kind: .direct)],
            queues: [Queue(names.dead, arguments: quorum.merging(["x-delivery-limit": noDeliveryLimit]) { $1 }), work] + retries + suspects,
            bindings: [Binding(from: names.inbound, to: .queue(work.name), routingKey: lane)]
        )
    }

    /// What every worker needs for what nodes send by themselves, beside its lane's.
    ///
    /// What has waited too long goes: nodes ask again by themselves, a lease of long ago says nothing, and a leave that is lost is found by a stray event
    /// or the next lease. So nothing piles up while no worker
    /// is there, and nothing of it needs the dead letters.
    static func nodes(names: BrokerNames) -> Topology {
        let work = Queue(
            names.work(lane: LaneMap.nodeLane),
            arguments: ["x-queue-type": "quorum", "x-delivery-limit": deliveryLimit, "x-message-ttl": .int64(nodePatience.milliseconds)]
        )
        return Topology(
            exchanges: [Exchange(names.inbound, kind: .direct), Exchange(names.delivery, kind: .direct)],
            queues: [work],
            bindings: [Binding(from: names.inbound, to: .queue(work.name), routingKey: LaneMap.nodeLane)]
        )
    }

    /// Longer than a node's longest pause between two questions.
    static let nodePatience: Duration = .seconds(60)

    /// The queue in which messages of a lane wait for so long.
    public static func retryQueue(names: BrokerNames, lane: String, delay: Duration) -> String {
        "\(names.retry).\(lane).\(delay.milliseconds)"
    }

    /// The queue in which suspects of a lane wait that are put off.
    public static func suspectPauseQueue(names: BrokerNames, lane: String, pause: Duration) -> String {
        "\(names.suspect(lane: lane)).\(pause.milliseconds)"
    }
}

extension Duration {
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
