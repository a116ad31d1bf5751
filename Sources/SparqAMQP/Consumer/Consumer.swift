public import Logging
public import ServiceLifecycle

/// Consumes one queue, and if need be a second one beside it, over one connection that comes back after every failure.
///
/// Deliveries that were not settled when a connection broke are delivered again by the broker, marked as redelivered.
public final class Consumer: Service, Sendable {
    private let engine: Engine
    private let core: ConsumerCore
    private let settings: ConsumerRole.Settings

    /// - Parameters:
    ///   - topology: declared after every connect, again when the queue was deleted, and again and again in case something else of it was.
    ///   - other: a second queue, of which one delivery is taken at a time. Deliveries of both come together; their routing keys tell them apart.
    ///   - prefetch: how many deliveries may be unsettled. This bounds what is held in memory, so 0 (no limit, in AMQP) is raised to 1.
    ///   - consumerTag: unique on the connection; the broker's tools show it.
    ///   - exclusive: whether the broker shall let nobody else consume the queue.
    ///   - refreshInterval: between two declarations of the topology while connected. The broker tells nobody that an exchange or a binding
    ///     was deleted, and to declare what is there costs it a look.
    ///   - drainLimit: how long a graceful shutdown waits for what was delivered to be settled.
    ///   - onStateChange: called on the connection's thread, in order; must not block.
    public init(
        configuration: AMQPConfiguration,
        topology: Topology = Topology(),
        queue: String,
        beside other: String? = nil,
        prefetch: UInt16,
        consumerTag: String = "consumer",
        exclusive: Bool = false,
        refreshInterval: Duration = .seconds(5),
        drainLimit: Duration = .seconds(10),
        logger: Logger,
        onStateChange: @escaping @Sendable (ConnectionState) -> Void = { _ in }
    ) {
        let core = ConsumerCore()
        self.core = core
        settings = ConsumerRole.Settings(
            queue: queue,
            other: other,
            prefetch: max(1, prefetch),
            consumerTag: consumerTag,
            exclusive: exclusive,
            topology: topology,
            refreshInterval: refreshInterval
        )
        engine = Engine(
            configuration: configuration,
            topology: topology,
            drainLimit: drainLimit,
            logger: logger,
            onStateChange: onStateChange,
            onDrain: { core.requestCancel(nil) },
            onEnd: { core.end() }
        )
    }

    /// Connects and works until graceful shutdown or cancellation. Call it once.
    ///
    /// On graceful shutdown consuming is cancelled, what was delivered may be settled up to the drain limit, and the connection is closed. On
    /// cancellation it is closed at once. A broker that cannot be reached, or refuses us, is no reason to end.
    public func run() async throws {
        let core = self.core
        let settings = self.settings
        try await engine.run { ConsumerRole(core, settings) }
    }

    /// Runs tasks on the connection's thread while it is connected, and where all others run at other times. What they take by ``nextBatch()``
    /// and settle needs no other thread. They must not block, nor compute for long: the connection waits for them.
    public var executor: any TaskExecutor { engine.executor }

    /// Everything that is ready; waits until there is something. nil when no more will come, or when the waiting task is cancelled.
    ///
    /// For one caller at a time: a second one makes the first return nil.
    public func nextBatch() async -> [Delivery]? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                core.nextBatch(continuation)
                if Task.isCancelled { core.cancelWaiting() }
            }
        } onCancel: {
            core.cancelWaiting()
        }
    }

    /// Tells the broker that a delivery is done (AMQP `basic.ack`). Never blocks; from any thread.
    ///
    /// A delivery of an earlier connection, or one that is settled already, is ignored.
    /// - Parameter multiple: whether all earlier unsettled deliveries are done too.
    public func ack(_ tag: DeliveryTag, multiple: Bool = false) {
        settle(tag, .ack, multiple: multiple)
    }

    /// Tells the broker that a delivery failed (AMQP `basic.reject`): back into the queue, or out of it (dead-lettered where set up).
    public func reject(_ tag: DeliveryTag, requeue: Bool) {
        settle(tag, .reject(requeue: requeue), multiple: false)
    }

    /// As ``reject(_:requeue:)`` for many (RabbitMQ's `basic.nack`). From RabbitMQ 4.3 this does not count for a delivery limit.
    public func nack(_ tag: DeliveryTag, multiple: Bool = false, requeue: Bool) {
        settle(tag, .nack(requeue: requeue), multiple: multiple)
    }

    /// Whether the channel of a delivery still stands, so that settling it means something. Where it is gone the broker gives the message to
    /// somebody else, or to us again: what works on it may stop. Never blocks; from any thread.
    public func isCurrent(_ tag: DeliveryTag) -> Bool { core.isCurrent(tag) }

    /// Ends consuming, for good (AMQP `basic.cancel`). Returns when no delivery will follow; what was delivered may still be taken by
    /// ``nextBatch()`` and settled. ``run()`` goes on until it is told to end.
    public func cancelConsuming() async {
        await withCheckedContinuation { continuation in
            core.requestCancel(continuation)
            engine.wakeup.signal()
        }
    }

    private func settle(_ tag: DeliveryTag, _ kind: AckLedger.Kind, multiple: Bool) {
        core.settle(ConsumerCore.Settling(tag: tag, kind: kind, multiple: multiple))
        engine.wakeup.signal()
    }
}
