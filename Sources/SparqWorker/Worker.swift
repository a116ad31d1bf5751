public import Logging
public import ServiceLifecycle
import SparqAMQP
import SparqPostgres
import SparqWire

/// The worker role: takes batches of messages from its lane's queue, runs handlers, commits, tells the nodes, and only then acks.
///
/// Any number of workers can serve a lane; they share nothing but broker and database. The tables and functions must be there:
/// see `db/migrations` and `db/functions`.
public struct Worker: Service {
    let configuration: WorkerConfiguration
    let router: Router
    let logger: Logger
    let onReadiness: @Sendable (Bool) -> Void

    /// A worker.
    ///
    /// - Parameter onReadiness: Called at each change, in order, from any thread; must return at once. Ready means: consuming, able to
    ///   publish, the database can be reached and does what it is asked, and handlers end.
    public init(
        configuration: WorkerConfiguration,
        router: Router,
        logger: Logger,
        onReadiness: @escaping @Sendable (Bool) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.router = router
        self.logger = logger
        self.onReadiness = onReadiness
    }

    /// Works until graceful shutdown or cancellation. Waits for broker and database, as long as it takes.
    ///
    /// On graceful shutdown it takes nothing new, finishes what is in hand (up to ``WorkerConfiguration/drainLimit``), and closes. On
    /// cancellation it stops at once; what it had in hand is delivered again to others.
    public func run() async throws {
        let stages = Stages(configuration: configuration, router: router, logger: logger, onReadiness: onReadiness)
        // Its own group, out of reach of the shutdown of this one: connections must outlive the work in hand.
        let connections = ServiceGroup(
            configuration: .init(services: stages.connections.services, logger: logger)
        )
        let running = Task.detached { try await connections.run() }
        do {
            try await withTaskCancellationHandler {
                try await work(stages)
                await connections.triggerGracefulShutdown()
                try await running.value
            } onCancel: {
                running.cancel()
                stages.watch.cancel()
                stages.close()
            }
        } catch {
            running.cancel()
            _ = try? await running.value
            throw error
        }
    }

    private func work(_ stages: Stages) async throws {
        await withTaskGroup(of: Void.self) { group in
            let signs = Task { await stages.signs.run() }
            let housekeeping = stages.housekeeping.map { task in Task { await task() } }
            for task in stages.tasks { group.addTask { await task() } }
            let intake = Task {
                await withDiscardingTaskGroup { group in
                    for intake in stages.intakes { group.addTask { await intake() } }
                }
            }
            await withGracefulShutdownHandler {
                await withTaskCancellationHandler {
                    for end in stages.intakeEnds { for await _ in end {} }
                } onCancel: {
                    intake.cancel()
                }
            } onGracefulShutdown: {
                logger.info("shutting down: finishing what is in hand")
                stages.readiness.stop()
                for consumer in stages.connections.consumers { Task { await consumer.cancelConsuming() } }
            }
            stages.readiness.stop()
            for task in housekeeping { task.cancel() }
            let isFinished = await finish(stages)
            intake.cancel()
            await stages.watch.end(within: .seconds(1))
            stages.close()
            // What waits for the database would wait on; others will do it.
            if !isFinished { group.cancelAll() }
            await intake.value
            signs.cancel()
            if !Task.isCancelled { await stages.signs.end() }
        }
        try Task.checkCancellation()
    }

    /// Whether nothing is in hand any more.
    private func finish(_ stages: Stages) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await stages.inHand.wait() }
            group.addTask { try? await Task.sleep(for: configuration.drainLimit) }
            await group.next()
            group.cancelAll()
        }
        let left = stages.inHand.open
        if left > 0 { logger.warning("not all could be finished; others will", metadata: ["batches": "\(left)"]) }
        return left == 0
    }
}
