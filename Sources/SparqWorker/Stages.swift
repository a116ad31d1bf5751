import AMQP
import Logging
import Postgres
import SparqProtocol

/// A worker's parts, joined.
struct Stages: Sendable {
    let pool: PostgresPool
    let publisher: Publisher
    let consumer: Consumer
    let readiness: Readiness
    let inHand = InHand()
    let intake: Intake
    /// Ends when the intake takes nothing more.
    let intakeEnd: AsyncStream<Never>
    /// Stages that work until they are closed.
    let tasks: [@Sendable () async -> Void]
    /// What works until it is cancelled.
    let housekeeping: [@Sendable () async -> Void]
    private let commits: BatchQueue<Run>
    private let nodeRequests: BatchQueue<NodeRequest>

    init(configuration: WorkerConfiguration, router: Router, logger: Logger, onReadiness: @escaping @Sendable (Bool) -> Void) {
        let readiness = Readiness(onChange: onReadiness)
        let names = configuration.names
        let topology = WorkerTopology.topology(names: names, pool: configuration.pool, retryDelays: configuration.retryDelays)
        let pool = PostgresPool(configuration: configuration.postgres, logger: logger) { readiness.set(.database, $0 == .ready) }
        let publisher = Publisher(configuration: configuration.amqp, topology: topology, logger: logger) {
            readiness.set(.publisher, $0 == .connected)
        }
        let consumer = Consumer(
            configuration: configuration.amqp,
            topology: topology,
            queue: names.work(pool: configuration.pool),
            prefetch: configuration.prefetch,
            consumerTag: "worker",
            logger: logger
        ) { readiness.set(.consumer, $0 == .connected) }

        let health = DatabaseHealth()
        let retry = DatabaseRetry(logger: logger, health: health)
        let broker = Broker(publisher: publisher, logger: logger)
        let failed = FailedMessages(
            broker: broker,
            names: names,
            pool: configuration.pool,
            schedule: RetrySchedule(delays: configuration.retryDelays),
            isSecret: { router.isSecret($0) }
        )
        let outbox = Outbox(
            broker: broker,
            names: names,
            limit: configuration.deliveryBytes,
            logger: logger
        )
        let commits = BatchQueue<Run>(countLimit: configuration.commitMessages, weightLimit: configuration.commitBytes)
        let nodeRequests = BatchQueue<NodeRequest>(countLimit: 256, weightLimit: 4096)
        let commitStage = CommitStage(
            queue: commits,
            pool: pool,
            retry: retry,
            failed: failed,
            outbox: outbox,
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
        let nodeStage = NodeStage(
            queue: nodeRequests,
            pool: pool,
            retry: retry,
            failed: failed,
            outbox: outbox,
            leaseSeconds: Int(configuration.leaseDuration.components.seconds),
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
        let processor = Processor(
            router: router,
            pool: pool,
            commits: commits,
            outbox: outbox,
            failed: failed,
            retry: retry,
            subscriptions: Subscriptions(router: router),
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
        let reaper = Reaper(
            pool: pool,
            router: router,
            commits: commits,
            health: health,
            readiness: readiness,
            interval: configuration.reapInterval,
            lease: configuration.leaseDuration,
            logger: logger
        )
        let retention = Retention(
            pool: pool,
            events: configuration.eventRetention,
            inbox: configuration.inboxRetention,
            interval: configuration.retentionInterval,
            logger: logger
        )
        let (intakeEnd, ended) = AsyncStream.makeStream(of: Never.self)
        self.intakeEnd = intakeEnd
        intake = Intake(
            consumer: consumer,
            processor: processor,
            nodeRequests: nodeRequests,
            failed: failed,
            inHand: inHand,
            logger: logger,
            ended: ended
        )
        tasks = Array(repeating: { await commitStage.run() }, count: max(1, configuration.commitsInFlight)) + [{ await nodeStage.run() }]
        housekeeping = [{ await reaper.run() }, { await retention.run() }]
        self.pool = pool
        self.publisher = publisher
        self.consumer = consumer
        self.readiness = readiness
        self.commits = commits
        self.nodeRequests = nodeRequests
    }

    /// Ends the stages when they are empty.
    func close() {
        commits.close()
        nodeRequests.close()
    }
}
