import Logging
import SparqAMQP
import SparqWire

/// The front's connections to the broker: one publishes, another consumes, because a memory alarm blocks those that publish. A third one keeps the node's
/// id, where that was chosen.
struct FrontBroker: NodeBroker {
    let inbound: any BatchPublisher
    private let publisher: Publisher
    private let queue: NodeQueue

    /// - Parameters:
    ///   - isNamed: Whether somebody chose the node's id, and may have given it to another front too.
    ///   - onClaimLost: another front has the node's id now.
    init(
        configuration: AMQPConfiguration,
        topology: FrontTopology,
        window: Int,
        prefetch: UInt16,
        isNamed: Bool,
        readiness: FrontReadiness,
        inbox: NodeInbox,
        logger: Logger,
        onClaimLost: @escaping @Sendable () -> Void
    ) {
        var publishing = configuration
        publishing.connectionName = "sparq front \(topology.node) publish"
        publisher = Publisher(
            configuration: publishing,
            topology: topology.publishing,
            window: window,
            logger: logger,
            onStateChange: { state in readiness.change { $0.isPublishing = state == .connected } }
        )
        var consuming = configuration
        consuming.connectionName = "sparq front \(topology.node) consume"
        queue = NodeQueue(
            configuration: consuming,
            topology: topology,
            prefetch: prefetch,
            claim: isNamed ? NodeClaim(configuration: configuration, topology: topology, logger: logger) : nil,
            logger: logger,
            onStateChange: { state in
                readiness.change { $0.isConsuming = state == .connected }
                // Between two connections the queue may have gone, or the broker have restarted, and what workers sent with it.
                if state == .connected { inbox.add([.resync]) }
            },
            onClaimLost: {
                readiness.change { $0.isConsuming = false }
                onClaimLost()
            },
            onReplaced: { inbox.add([.missedEnds]) },
            onDrop: { if readiness.change({ $0.lose() }) { inbox.add([.resync, .missedEnds]) } }
        )
        inbound = InboundPublisher(publisher: publisher, exchange: topology.names.inbound, logger: logger)
    }

    /// Keeps the connections until the task is cancelled.
    ///
    /// A graceful shutdown does not reach them: the drain needs them until its end.
    func run() async throws {
        let tasks = [
            Task.detached { [publisher] in try await publisher.run() },
            Task.detached { [queue] in await queue.run() },
        ]
        try await withTaskCancellationHandler {
            for task in tasks { try await task.value }
        } onCancel: {
            for task in tasks { task.cancel() }
        }
    }

    /// Hands what comes over the node's queue to the node, and acknowledges it when the shards have it.
    func deliver(to core: NodeCore) async { await queue.deliver { await core.deliver($0) } }
}

/// What a front needs of its broker; tests give it another one.
protocol NodeBroker: Sendable {
    /// Takes batches for the workers.
    var inbound: any BatchPublisher { get }
    /// Keeps the connections until the task is cancelled. A graceful shutdown does not reach them.
    func run() async throws
    /// Hands what comes over the node's queue to the node, until no more will come or the task is cancelled.
    func deliver(to core: NodeCore) async
}
