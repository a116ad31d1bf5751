public import Logging
public import ServiceLifecycle

/// Publishes messages and waits for the broker's confirms, over one connection that comes back after every failure.
///
/// Messages are written in the order of the calls. Unconfirmed ones are published again, in that order, after a recovery, so a message may
/// arrive more than once. Messages marked `mandatory` carry the header `x-publish-sequence`, by which a return is told from another.
public final class Publisher: Service, Sendable {
    private let engine: Engine
    private let core: PublisherCore
    private let topology: Topology

    /// - Parameters:
    ///   - topology: declared after every connect, and again when an exchange is missing. A message to an exchange of it waits for that.
    ///   - window: how many messages may be unconfirmed; ``publish(_:exchange:routingKey:mandatory:timeout:)`` holds back what is beyond.
    ///   - drainLimit: how long a graceful shutdown waits for outstanding confirms.
    ///   - onStateChange: called on the connection's thread, in order; must not block.
    public init(
        configuration: AMQPConfiguration,
        topology: Topology = Topology(),
        window: Int = 256,
        drainLimit: Duration = .seconds(10),
        logger: Logger,
        onStateChange: @escaping @Sendable (ConnectionState) -> Void = { _ in }
    ) {
        let core = PublisherCore(window: window)
        self.core = core
        self.topology = topology
        engine = Engine(
            configuration: configuration,
            topology: topology,
            drainLimit: drainLimit,
            logger: logger,
            onStateChange: onStateChange,
            onDrain: { core.stopAccepting() },
            onEnd: { core.end() }
        )
    }

    /// Connects and works until graceful shutdown or cancellation. Call it once.
    ///
    /// On graceful shutdown nothing new is taken, outstanding confirms are awaited up to the drain limit, and the connection is closed. On
    /// cancellation it is closed at once. Either way whoever still waits in `publish` gets ``AMQPError/Code-swift.struct/closed``. A broker that
    /// cannot be reached, or refuses us, is no reason to end: the state says so, and the attempts go on.
    public func run() async throws {
        let result = await withTaskGroup(of: Void.self) { group in
            group.addTask { [core] in
                while (try? await Task.sleep(for: .milliseconds(100))) != nil { core.expire(.now) }
            }
            defer { group.cancelAll() }
            return await self.work()
        }
        try result.get()
    }

    private func work() async -> Result<Void, AMQPError> {
        let (core, topology, faults) = (self.core, self.topology, engine.faults)
        do throws(AMQPError) {
            try await engine.run { PublisherRole(core, topology, faults) }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    /// Runs tasks on the connection's thread while it is connected, and where all others run at other times. What they `publish` needs no other
    /// thread, and neither does what follows from the confirm. They must not block, nor compute for long: the connection waits for them. While a broker that reads nothing holds up the thread in
    /// a write, for three heartbeats at most, it holds up these tasks too, timeouts included.
    public var executor: any TaskExecutor { engine.executor }

    /// Publishes a message and waits until the broker has taken it (AMQP `basic.publish`, RabbitMQ publisher confirms).
    ///
    /// May be called before ``run()``; the message then waits. Cancelling the task stops the waiting; the message may still be published.
    /// - Parameters:
    ///   - mandatory: whether a message that reaches no queue shall come back, as ``PublishOutcome/returned(replyCode:text:)``.
    ///   - timeout: how long to wait for the outcome, to about 0.1 s, however the broker behaves; nil waits as long as the publisher runs.
    /// - Throws: `invalidArgument` before anything is sent; `channelClosed` with the reply code if the broker refuses this message (404: no
    ///   such exchange, and none of the topology, 403: not allowed), which is then not sent again; `nacked` if the broker could not take it (a full queue with
    ///   `reject-publish`, or a quorum queue that has no leader yet, as just after a restart). That is not tried again here, since only
    ///   the caller knows for how long, and what has to stay in order; `timeout`, `cancelled`, `closed`.
    public func publish(
        _ message: AMQPMessage,
        exchange: String,
        routingKey: String,
        mandatory: Bool = false,
        timeout: Duration? = nil
    ) async throws(AMQPError) -> PublishOutcome {
        try message.validate(exchange: exchange, routingKey: routingKey)
        let publication = Publication(
            message,
            exchange: exchange,
            routingKey: routingKey,
            mandatory: mandatory,
            deadline: timeout.map { .now + $0 }
        )
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard core.submit(publication, continuation) else {
                    return continuation.resume(returning: .failure(PublisherCore.closed))
                }
                engine.wakeup.signal()
                if Task.isCancelled { core.cancel(publication) }
            }
        } onCancel: {
            core.cancel(publication)
        }
        return try result.get()
    }
}
