import FaultLog
import Logging
import SparqPostgres
import SparqWire

/// What several of a worker's stages share.
struct StageParts: Sendable {
    let configuration: WorkerConfiguration
    let router: Router
    let connections: WorkerConnections
    let readiness: WorkerReadiness
    let logger: Logger
    let health: DatabaseHealth
    let retry: DatabaseRetry
    /// What becomes of messages of the worker's own lane that fail, and of what nodes ask.
    let failed: FailedMessages
    let failedOfNodes: FailedMessages
    let outbox: Outbox
    let notices: PresenceNotices
    let commits: BatchQueue<CommitGroup>
    let nodeRequests: BatchQueue<NodeRequest>
    let leases: LeaseWatch
    let nodeTimes: NodeTimes
    let repetition: Repetition
    let watch: HandlerWatch

    init(
        _ configuration: WorkerConfiguration,
        _ router: Router,
        _ connections: WorkerConnections,
        _ readiness: WorkerReadiness,
        _ logger: Logger
    ) {
        self.configuration = configuration
        self.router = router
        self.connections = connections
        self.readiness = readiness
        self.logger = logger
        let names = configuration.names
        health = DatabaseHealth(
            logger: logger,
            onWork: { readiness.set(.work, $0) },
            onHandlers: { readiness.set(.handlers, $0) }
        )
        retry = DatabaseRetry(logger: logger, health: health, patience: configuration.defectPatience)
        let publisher = ConfirmedPublisher(publisher: connections.publisher, logger: logger)
        func failed(_ lane: String) -> FailedMessages {
            FailedMessages(
                publisher: publisher,
                names: names,
                lane: lane,
                schedule: RetrySchedule(delays: configuration.retryDelays),
                isSecret: { router.isSecret($0) },
                logger: logger
            )
        }
        self.failed = failed(configuration.lane)
        failedOfNodes = failed(LaneMap.nodeLane)
        outbox = Outbox(publisher: publisher, names: names, limit: configuration.deliveryBytes, logger: logger)
        notices = PresenceNotices(publisher: publisher, names: names, pool: connections.pool, logger: logger)
        commits = BatchQueue(countLimit: configuration.commitMessages, weightLimit: configuration.commitBytes)
        // A piece of a crowd's topics takes some 20 ms: for as long a lease waits.
        nodeRequests = BatchQueue(countLimit: 256, weightLimit: 4096, bulkLimit: 1024)
        leases = LeaseWatch(queue: nodeRequests, lease: configuration.leaseDuration)
        // Fronts give a message up long before.
        nodeTimes = NodeTimes(patience: configuration.replyDeadline * 6, logger: logger)
        repetition = Repetition(
            router: router,
            database: connections.handlers,
            timeLimit: configuration.handlerTimeLimit,
            retry: retry,
            failed: self.failed
        )
        watch = HandlerWatch(
            slots: Int(configuration.prefetch),
            strays: configuration.strayHandlers,
            logger: logger,
            isDatabaseAway: { [handlers = connections.handlers] in handlers.isAway },
            onProgress: { readiness.set(.progress, $0) }
        )
    }

    /// Runs handlers.
    func processor() -> Processor {
        Processor(
            router: router,
            pool: connections.pool,
            database: connections.handlers,
            watch: watch,
            timeLimit: configuration.handlerTimeLimit,
            commits: commits,
            outbox: outbox,
            failed: failed,
            retry: retry,
            subscriptions: Subscriptions(router: router, database: connections.pool),
            repetition: repetition,
            nodeTimes: nodeTimes,
            deliveryBytes: configuration.deliveryBytes,
            values: FaultLog(logger),
            turnedAway: FaultLog(logger)
        )
    }

    /// Commits what handlers want.
    func commitStage() -> CommitStage {
        CommitStage(
            queue: commits,
            pool: connections.pool,
            retry: retry,
            failed: failed,
            repetition: repetition,
            outbox: outbox,
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
    }

    /// Serves what nodes ask.
    func nodeStage() -> NodeStage {
        NodeStage(
            queue: nodeRequests,
            pool: connections.nodePool,
            retry: retry,
            failed: failedOfNodes,
            outbox: outbox,
            notices: notices,
            leases: leases,
            leaseSeconds: Int(configuration.leaseDuration.components.seconds),
            deliveryBytes: configuration.deliveryBytes,
            logger: logger
        )
    }

    /// That the worker lives.
    func signs() -> LifeSigns {
        LifeSigns(database: connections.nodePool, lane: configuration.lane, settings: configuration.suspects, logger: logger) { [health] in
            health.look()
        }
    }

    /// Removes dead nodes.
    func reaper() -> Reaper {
        Reaper(
            pool: connections.pool,
            router: router,
            losses: Losses(pool: connections.pool, commits: commits, notices: notices),
            health: health,
            readiness: readiness,
            leases: leases,
            interval: configuration.reapInterval,
            lease: configuration.leaseDuration,
            timeLimit: configuration.handlerTimeLimit,
            logger: logger
        )
    }

    /// Deletes old rows.
    func retention() -> Retention {
        Retention(
            pool: connections.pool,
            events: configuration.eventRetention,
            inbox: configuration.inboxRetention,
            interval: configuration.retentionInterval,
            logger: logger
        )
    }
}
