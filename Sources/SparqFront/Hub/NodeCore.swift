import Logging
import NIOCore
import SparqFrontCore
import SparqWire

/// The one owner of the node's state: takes what comes over the node's queue and what the shards say, and carries out what follows.
actor NodeCore {
    private var state: NodeState
    private let hub: Hub
    private let forwarder: any Forwarding
    private let node: String
    private let incarnation: String
    private let logger: Logger
    private let onLease: @Sendable () -> Void
    private var hasRenewed = false
    private var hasLeft = false

    /// `onLease` is called when answers to leases have come.
    init(
        node: String,
        incarnation: String,
        settings: NodeSettings,
        hub: Hub,
        forwarder: any Forwarding,
        logger: Logger,
        onLease: @escaping @Sendable () -> Void
    ) {
        // Above all that an earlier life of the node can have counted to, and below what a JSON number holds exactly.
        state = NodeState(settings: settings, shards: hub.shardCount, version: Clock.wall() * 1000)
        self.hub = hub
        self.forwarder = forwarder
        self.node = node
        self.incarnation = incarnation
        self.logger = logger
        self.onLease = onLease
    }

    /// What it has counted, and the topics that it has now.
    var counters: (NodeCounters, topics: Int) { (state.counters, state.topicCount) }

    /// Takes batches from the node's queue, in order. When it returns, the shards are through with it: what they cannot keep up with stays
    /// with the broker.
    func deliver(_ bodies: [[UInt8]]) async {
        await withCheckedContinuation { continuation in deliver(bodies) { continuation.resume() } }
    }

    private func deliver(_ bodies: [[UInt8]], then: @escaping @Sendable () -> Void) {
        var isLeased = false
        // Behind what the shards are told: what stands before the answer to a lease has come.
        defer { if isLeased { onLease() } }
        work(then: then) { now, actions in
            for body in bodies {
                for line in NDJSON.lines(body) {
                    do throws(JSONError) {
                        let delivery = try Delivery(line: line)
                        if case .lease(let answer) = delivery {
                            isLeased = true
                            if answer == .resync {
                                logger.info("The directory differs from what this node serves: all topics are synchronised anew")
                            }
                        }
                        if case .differs(let difference) = delivery {
                            logger.info(
                                "The directory differs from what this node serves: it is mended",
                                metadata: ["buckets": "\(difference.buckets.count)", "topics": "\(difference.topics.count)"]
                            )
                        }
                        state.deliver(delivery, now: now, into: &actions)
                    } catch {
                        logger.error("A line of a delivery cannot be read", metadata: ["error": "\(error)", "bytes": "\(line.count)"])
                    }
                }
            }
        }
    }

    /// Takes what the shards say.
    func accept(_ inputs: [NodeInput]) {
        guard !inputs.isEmpty else { return }
        work { now, actions in
            for input in inputs { state.accept(input, now: now, into: &actions) }
        }
    }

    /// Time passed.
    func tick() {
        work { now, actions in state.tick(now: now, into: &actions) }
    }

    /// Renews the lease; not any more after it was given up. A node that never had one gives none up: its id may be another front's.
    func renew(leaving: Bool) {
        guard !hasLeft, hasRenewed || !leaving else { return }
        hasRenewed = true
        hasLeft = leaving
        let request = state.lease(incarnation: incarnation, leaving: leaving)
        forwarder.forward { $0.add(Envelope(node: node, at: Clock.wall(), request), member: nil) }
    }

    private func work(then: @escaping @Sendable () -> Void = {}, _ body: (_ now: Int, _ actions: inout NodeActions) -> Void) {
        let now = Clock.now()
        var actions = NodeActions(shards: hub.shardCount)
        body(now, &actions)
        state.finish(now: now, into: &actions)
        hub.apply(actions.commands, then: then)
        guard !actions.syncs.isEmpty || !actions.leaves.isEmpty || !actions.reads.isEmpty else { return }
        let time = Clock.wall()
        forwarder.forward { batches in
            for request in actions.syncs { batches.add(Envelope(node: node, at: time, request), member: nil) }
            for request in actions.leaves { batches.add(Envelope(node: node, at: time, request), member: nil) }
            for request in actions.reads { batches.add(Envelope(node: node, at: time, request), member: nil) }
        }
    }
}
