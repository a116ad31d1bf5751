import SparqAMQP
import FaultLog
import Logging
import SparqPostgres
import SparqWire

/// A worker's parts, joined.
struct Stages: Sendable {
    let pool: PostgresPool
    let publisher: Publisher
    /// What nodes ask waits for no connection that clients' messages hold.
    let nodePool: PostgresPool
    /// That the worker lives, and what it may die over.
    let signs: LifeSigns
    /// Of the pool's queue, of the nodes', and of the pool's suspects.
    let consumers: [Consumer]
    let readiness: Readiness
    let inHand = Latch()
    let watch: HandlerWatch
    /// One for each consumer; each works until it takes nothing more.
    let intakes: [@Sendable () async -> Void]
    /// Each ends when its intake takes nothing more.
    let intakeEnds: [AsyncStream<Never>]
    /// Stages that work until they are closed.
    let tasks: [@Sendable () async -> Void]
    /// What works until it is cancelled.
    let housekeeping: [@Sendable () async -> Void]
    private let commits: BatchQueue<CommitGroup>
    private let nodeRequests: BatchQueue<NodeRequest>

    init(configuration: WorkerConfiguration, router: Router, logger: Logger, onReadiness: @escaping @Sendable (Bool) -> Void) {
        let readiness = Readiness(onChange: onReadiness)
        let names = configuration.names
        let topology = WorkerTopology.topology(
            names: names,
            pool: configuration.pool,
            retryDelays: configuration.retryDelays,
            suspectPause: configuration.suspects.pause
        )
        let nodeTopology = WorkerTopology.nodes(names: names)
        // A handler may read beside its transaction.
        let handlerConnections = max(2, configuration.postgres.poolSize)
        var ownPostgres = configuration.postgres
        // Beside what handlers may have: each commit's, and one each for housekeeping and for look-ups.
        let ownConnections = max(1, configuration.commitsInFlight) + 2
        ownPostgres.poolSize = handlerConnections + ownConnections
        // So that there is one for a commit where the server takes no more.
        ownPostgres.minimumConnections = ownPostgres.poolSize
        let pool = PostgresPool(configuration: ownPostgres, logger: logger) { readiness.set(.database, $0 == .ready) }
        let database = PostgresShare(of: pool, connections: handlerConnections, reserved: ownConnections)
        var nodePostgres = configuration.postgres
        // As many as there are tasks of the stage.
        nodePostgres.poolSize = 1
        let nodePool = PostgresPool(configuration: nodePostgres, logger: logger) { readiness.set(.nodeDatabase, $0 == .ready) }
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
        let nodeConsumer = Consumer(
            configuration: configuration.amqp,
            topology: nodeTopology,
            queue: names.work(pool: PoolMap.nodePool),
            prefetch: configuration.nodePrefetch,
            consumerTag: "worker",
            logger: logger
        ) { readiness.set(.nodeConsumer, $0 == .connected) }
        let suspectConsumer = Consumer(
            configuration: configuration.amqp,
            topology: topology,
            queue: names.suspect(pool: configuration.pool),
            prefetch: configuration.prefetch,
            consumerTag: "worker",
            logger: logger
        )

        let health = DatabaseHealth(
            logger: logger,
            onWork: { readiness.set(.work, $0) },
            onHandlers: { readiness.set(.handlers, $0) }
        )
        let retry = DatabaseRetry(logger: logger, health: health, patience: configuration.defectPatience)
        let broker = Broker(publisher: publisher, logger: logger)
        func failed(_ pool: String) -> FailedMessages {
            FailedMessages(
                broker: broker,
                names: names,
                pool: pool,
                schedule: RetrySchedule(delays: configuration.retryDelays),
                isSecret: { router.isSecret($0) },
                logger: logger
            )
        }
        let failedOfPool = failed(configuration.pool)
        let failedOfNodes = failed(PoolMap.nodePool)
        let outbox = Outbox(
            broker: broker,
            names: names,
            limit: configuration.deliveryBytes,
            logger: logger
        )
        let notices = PresenceNotices(broker: broker, names: names, pool: pool, logger: logger)
        let commits = BatchQueue<CommitGroup>(countLimit: configuration.commitMessages, weightLimit: configuration.commitBytes)
        // A piece of a crowd's topics takes some 20 ms: for as long a lease waits.
        let nodeRequests = BatchQueue<NodeRequest>(countLimit: 256, weightLimit: 4096, bulkLimit: 1024)
        let leases = LeaseWatch(queue: nodeRequests, lease: configuration.leaseDuration)
        let repetition = Repetition(
            router: router,
            database: database,
            timeLimit: configuration.handlerTimeLimit,
            retry: retry,
            failed: failedOfPool
        )
        let watch = HandlerWatch(
            slots: Int(configuration.prefetch),
            strays: configuration.strayHandlers,
            logger: logger,
            isDatabaseAway: { database.isAway },
            onProgress: { readiness.set(.progress, $0) }
        )
        let commitStage = CommitStage(
            queue: commits,
            pool: pool,
            retry: retry,
            failed: failedOfPool,
            repetition: repetition,
            outbox: outbox,
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
        let nodeStage = NodeStage(
            queue: nodeRequests,
            pool: nodePool,
            retry: retry,
            failed: failedOfNodes,
            outbox: outbox,
            notices: notices,
            leases: leases,
            leaseSeconds: Int(configuration.leaseDuration.components.seconds),
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
        // Fronts give a message up long before.
        let nodeTimes = NodeTimes(patience: configuration.replyDeadline * 6, logger: logger)
        let processor = Processor(
            router: router,
            pool: pool,
            database: database,
            watch: watch,
            timeLimit: configuration.handlerTimeLimit,
            commits: commits,
            outbox: outbox,
            failed: failedOfPool,
            retry: retry,
            subscriptions: Subscriptions(router: router, database: pool),
            repetition: repetition,
            nodeTimes: nodeTimes,
            deliveryBytes: configuration.deliveryBytes,
            values: FaultLog(logger),
            turnedAway: FaultLog(logger)
        )
        watch.begin { await processor.goOn($0, $1, $2) }
        self.watch = watch
        let signs = LifeSigns(database: nodePool, pool: configuration.pool, settings: configuration.suspects, logger: logger) {
            health.look()
        }
        let reaper = Reaper(
            pool: pool,
            router: router,
            losses: Losses(pool: pool, commits: commits, notices: notices),
            health: health,
            readiness: readiness,
            leases: leases,
            interval: configuration.reapInterval,
            lease: configuration.leaseDuration,
            timeLimit: configuration.handlerTimeLimit,
            logger: logger
        )
        let retention = Retention(
            pool: pool,
            events: configuration.eventRetention,
            inbox: configuration.inboxRetention,
            interval: configuration.retentionInterval,
            logger: logger
        )
        let inHand = inHand
        let ends = (0..<3).map { _ in AsyncStream.makeStream(of: Never.self) }
        func lines(_ failed: FailedMessages) -> InboundLines {
            InboundLines(nodeRequests: nodeRequests, nodeTimes: nodeTimes, failed: failed, logger: logger)
        }
        func intake(_ queue: Consumer, _ pool: PostgresPool, _ failed: FailedMessages, _ ended: AsyncStream<Never>.Continuation) -> Intake {
            Intake(
                consumer: queue,
                alone: pool.executor,
                processor: processor,
                lines: lines(failed),
                failed: failed,
                inHand: inHand,
                isWary: queue === consumer,
                suspicions: FaultLog(logger),
                ended: ended
            )
        }
        let ofPool = intake(consumer, pool, failedOfPool, ends[0].continuation)
        let ofNodes = intake(nodeConsumer, nodePool, failedOfNodes, ends[1].continuation)
        let ofSuspects = SuspectIntake(
            consumer: suspectConsumer,
            processor: processor,
            lines: lines(failedOfPool),
            failed: failedOfPool,
            signs: signs,
            retry: retry,
            inHand: inHand,
            settings: configuration.suspects,
            logger: logger,
            troubles: FaultLog(logger),
            ended: ends[2].continuation
        )
        intakes = [{ await ofPool.run() }, { await ofNodes.run() }, { await ofSuspects.run() }]
        intakeEnds = ends.map(\.stream)
        self.signs = signs
        let commitTask: @Sendable () async -> Void = { await withTaskExecutorPreference(pool.executor) { await commitStage.run() } }
        let nodeTask: @Sendable () async -> Void = { await withTaskExecutorPreference(nodePool.executor) { await nodeStage.run() } }
        tasks = Array(repeating: commitTask, count: max(1, configuration.commitsInFlight)) + [nodeTask]
        housekeeping = [{ await reaper.run() }, { await retention.run() }]
        self.pool = pool
        self.publisher = publisher
        self.nodePool = nodePool
        consumers = [consumer, nodeConsumer, suspectConsumer]
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
