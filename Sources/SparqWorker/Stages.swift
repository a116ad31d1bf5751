import SparqAMQP
import FaultLog
import Logging
import SparqPostgres

/// A worker's stages, joined.
struct Stages: Sendable {
    let connections: WorkerConnections
    let readiness: WorkerReadiness
    let watch: HandlerWatch
    /// That the worker lives, and what it may die over.
    let signs: LifeSigns
    let inHand = Latch()
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
        let readiness = WorkerReadiness(onChange: onReadiness)
        let connections = WorkerConnections(configuration, readiness, logger)
        let parts = StageParts(configuration, router, connections, readiness, logger)
        let processor = parts.processor()
        parts.watch.begin { await processor.goOn($0, $1, $2) }
        let signs = parts.signs()
        let (pool, nodePool, inHand) = (connections.pool, connections.nodePool, inHand)
        let ends = (0..<3).map { _ in AsyncStream.makeStream(of: Never.self) }
        func lines(_ failed: FailedMessages) -> InboundLines {
            InboundLines(nodeRequests: parts.nodeRequests, nodeTimes: parts.nodeTimes, failed: failed, logger: logger)
        }
        func intake(_ queue: Consumer, _ pool: PostgresPool, _ failed: FailedMessages, _ ended: AsyncStream<Never>.Continuation) -> Intake {
            Intake(
                consumer: queue,
                alone: pool.executor,
                processor: processor,
                lines: lines(failed),
                failed: failed,
                inHand: inHand,
                isWary: queue === connections.consumer,
                suspicions: FaultLog(logger),
                ended: ended
            )
        }
        let ofLane = intake(connections.consumer, pool, parts.failed, ends[0].continuation)
        let ofNodes = intake(connections.nodeConsumer, nodePool, parts.failedOfNodes, ends[1].continuation)
        let ofSuspects = SuspectIntake(
            consumer: connections.suspectConsumer,
            processor: processor,
            lines: lines(parts.failed),
            failed: parts.failed,
            signs: signs,
            retry: parts.retry,
            inHand: inHand,
            settings: configuration.suspects,
            logger: logger,
            troubles: FaultLog(logger),
            ended: ends[2].continuation
        )
        intakes = [{ await ofLane.run() }, { await ofNodes.run() }, { await ofSuspects.run() }]
        intakeEnds = ends.map(\.stream)
        let (commitStage, nodeStage, reaper, retention) = (parts.commitStage(), parts.nodeStage(), parts.reaper(), parts.retention())
        let commitTask: @Sendable () async -> Void = { await withTaskExecutorPreference(pool.executor) { await commitStage.run() } }
        let nodeTask: @Sendable () async -> Void = { await withTaskExecutorPreference(nodePool.executor) { await nodeStage.run() } }
        tasks = Array(repeating: commitTask, count: max(1, configuration.commitsInFlight)) + [nodeTask]
        housekeeping = [{ await reaper.run() }, { await retention.run() }]
        self.connections = connections
        self.readiness = readiness
        self.signs = signs
        watch = parts.watch
        commits = parts.commits
        nodeRequests = parts.nodeRequests
    }

    /// Ends the stages when they are empty.
    func close() {
        commits.close()
        nodeRequests.close()
    }
}
