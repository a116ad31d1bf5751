import Logging
import ServiceLifecycle
import SparqAMQP
import SparqPostgres
import SparqWire

/// A worker's connections to the database and to the broker. They outlive the work in hand.
struct WorkerConnections: Sendable {
    let pool: PostgresPool
    /// The part of the pool that handlers and policies have.
    let handlers: PostgresShare
    /// What nodes ask waits for no connection that clients' messages hold.
    let nodePool: PostgresPool
    let publisher: Publisher
    /// Of the lane's queue.
    let consumer: Consumer
    /// Of the queue of what nodes ask.
    let nodeConsumer: Consumer
    /// Of the lane's suspects.
    let suspectConsumer: Consumer

    init(_ configuration: WorkerConfiguration, _ readiness: WorkerReadiness, _ logger: Logger) {
        // A handler may read beside its transaction.
        let handlerConnections = max(2, configuration.postgres.poolSize)
        // Beside what handlers may have: each commit's, and one each for housekeeping and for look-ups.
        let ownConnections = max(1, configuration.commitsInFlight) + 2
        var postgres = configuration.postgres
        postgres.poolSize = handlerConnections + ownConnections
        // So that there is one for a commit where the server takes no more.
        postgres.minimumConnections = postgres.poolSize
        pool = PostgresPool(configuration: postgres, logger: logger) { readiness.set(.database, $0 == .ready) }
        handlers = PostgresShare(of: pool, connections: handlerConnections, reserved: ownConnections)
        var nodePostgres = configuration.postgres
        // As many as there are tasks of the stage.
        nodePostgres.poolSize = 1
        nodePool = PostgresPool(configuration: nodePostgres, logger: logger) { readiness.set(.nodeDatabase, $0 == .ready) }

        let names = configuration.names
        let topology = WorkerTopology.topology(
            names: names,
            lane: configuration.lane,
            retryDelays: configuration.retryDelays,
            suspectPause: configuration.suspects.pause
        )
        publisher = Publisher(configuration: configuration.amqp, topology: topology, logger: logger) {
            readiness.set(.publisher, $0 == .connected)
        }
        func consumer(
            _ queue: String,
            _ topology: Topology,
            prefetch: UInt16,
            onStateChange: @escaping @Sendable (ConnectionState) -> Void = { _ in }
        ) -> Consumer {
            Consumer(
                configuration: configuration.amqp,
                topology: topology,
                queue: queue,
                prefetch: prefetch,
                consumerTag: "worker",
                logger: logger,
                onStateChange: onStateChange
            )
        }
        self.consumer = consumer(names.work(lane: configuration.lane), topology, prefetch: configuration.prefetch) {
            readiness.set(.consumer, $0 == .connected)
        }
        nodeConsumer = consumer(
            names.work(lane: LaneMap.nodeLane),
            WorkerTopology.nodes(names: names),
            prefetch: configuration.nodePrefetch
        ) { readiness.set(.nodeConsumer, $0 == .connected) }
        suspectConsumer = consumer(names.suspect(lane: configuration.lane), topology, prefetch: configuration.prefetch)
    }

    var consumers: [Consumer] { [consumer, nodeConsumer, suspectConsumer] }
    var services: [any Service] { [pool, nodePool, publisher] + consumers }
}
