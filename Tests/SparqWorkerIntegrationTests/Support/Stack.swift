import SparqAMQP
import Foundation
import Logging
import SparqPostgres
import ServiceLifecycle
import SparqWire
import SparqWorker
import Synchronization

/// A schema and broker names of a test's own, and the workers that serve them.
final class Stack: Sendable {
    struct Missing: Error, CustomStringConvertible {
        var description: String
    }

    let amqp: AMQPConfiguration
    let postgres: PostgresConfiguration
    let names: BrokerNames
    let schema: String
    let session: AMQPSession
    let pool: PostgresPool
    private let background = Mutex<[Task<Void, Never>]>([])

    /// Runs a test with a stack, and cleans up behind it.
    static func with(_ body: (Stack) async throws -> Void) async throws {
        let stack = try await Stack()
        do {
            try await body(stack)
            await stack.stop()
        } catch {
            await stack.stop()
            throw error
        }
    }

    private init() async throws {
        let environment = ProcessInfo.processInfo.environment
        guard let amqpURL = environment["SPARQ_TEST_AMQP_URL"], let postgresURL = environment["SPARQ_TEST_POSTGRES_URL"] else {
            throw Missing(description: "SPARQ_TEST_AMQP_URL and SPARQ_TEST_POSTGRES_URL must be set: make test does")
        }
        schema = "t\(UInt64.random(in: 0 ... .max))"
        names = BrokerNames(prefix: schema)
        amqp = try AMQPConfiguration(url: amqpURL)
        var postgres = try PostgresConfiguration(
            url: postgresURL + (postgresURL.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(schema)"
        )
        postgres.applicationName = schema
        self.postgres = postgres
        session = try await AMQPSession(amqp)
        postgres.applicationName = "\(schema)-test"
        // Tests hold locks for as long as they like.
        postgres.idleInTransactionTimeout = .zero
        pool = PostgresPool(configuration: postgres, logger: Self.quiet)
        let pool = pool
        background.withLock { $0.append(Task.detached { try? await pool.run() }) }
        try await pool.withConnection { try await $0.script("CREATE SCHEMA \(schema)") }
        try await Self.migrator().apply(using: pool)
        try await session.declare(
            WorkerTopology.topology(
                names: names,
                lane: "default",
                retryDelays: Self.retryDelays,
                suspectPause: SuspectSettings.quick.pause
            )
        )
    }

    /// Applies the project's migrations, and its functions.
    static func migrator(functions: Bool = true) -> Migrator {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../db").standardized.path()
        return Migrator(directory: "\(folder)/migrations", functions: functions ? "\(folder)/functions" : nil)
    }

    static let retryDelays: [Duration] = [.milliseconds(50), .milliseconds(100)]
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func stop() async {
        for task in background.withLock({ $0 }) where task != background.withLock({ $0[0] }) { task.cancel() }
        for task in background.withLock({ $0.dropFirst() }) { await task.value }
        try? await pool.withConnection { try await $0.script("DROP SCHEMA \(schema) CASCADE") }
        background.withLock { $0.first }?.cancel()
        let queues =
            [names.work(lane: "default"), names.work(lane: "node"), names.dead]
            + Self.retryDelays.map { WorkerTopology.retryQueue(names: names, lane: "default", delay: $0) } + suspectQueues
        for queue in queues { _ = try? await session.deleteQueue(queue) }
        for exchange in [names.inbound, names.delivery] { try? await session.deleteExchange(exchange) }
        session.close()
    }

    private var suspectQueues: [String] {
        [
            names.suspect(lane: "default"),
            WorkerTopology.suspectPauseQueue(names: names, lane: "default", pause: SuspectSettings.quick.pause),
        ]
    }

    /// The broker by way of a proxy.
    func amqp(through proxy: Proxy) -> AMQPConfiguration {
        var configuration = amqp
        configuration.hosts = [AMQPHost("127.0.0.1", port: proxy.port)]
        return configuration
    }

    /// The database by way of a proxy, which is made for it.
    func postgresThroughProxy() throws -> (PostgresConfiguration, Proxy) {
        let url = ProcessInfo.processInfo.environment["SPARQ_TEST_POSTGRES_URL"] ?? ""
        guard var components = URLComponents(string: url), let port = components.port.flatMap(UInt16.init(exactly:)) else {
            throw Missing(description: "SPARQ_TEST_POSTGRES_URL has no port")
        }
        let proxy = try Proxy(to: port)
        components.host = "127.0.0.1"
        components.port = Int(proxy.port)
        components.percentEncodedQuery = "options=-csearch_path%3D\(schema)"
        var configuration = try PostgresConfiguration(url: components.string ?? url)
        configuration.applicationName = schema
        return (configuration, proxy)
    }

    func node(_ id: String = "n1") async throws -> FakeNode {
        let node = try await FakeNode(id: id, names: names, amqp: amqp, session: session)
        node.start()
        let queue = names.node(id)
        background.withLock {
            $0.append(
                Task.detached { [session] in
                    // Ends with the test.
                    while (try? await Task.sleep(for: .seconds(3600))) != nil {}
                    node.stop()
                    _ = try? await session.deleteQueue(queue)
                    try? await session.deleteExchange(queue)
                }
            )
        }
        return node
    }

    /// Starts a worker and waits until it is ready.
    @discardableResult
    func worker(
        _ router: Router,
        log: LogLines? = nil,
        _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) async throws -> RunningWorker {
        let worker = startWorker(router, log: log, change)
        try await worker.ready()
        return worker
    }

    /// Starts a worker.
    func startWorker(
        _ router: Router,
        log: LogLines? = nil,
        _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) -> RunningWorker {
        var configuration = WorkerConfiguration(amqp: amqp, postgres: postgres)
        configuration.names = names
        configuration.retryDelays = Self.retryDelays
        configuration.suspects = .quick
        change(&configuration)
        let worker = RunningWorker(configuration, router, logger: log?.logger)
        background.withLock { $0.append(worker.task) }
        return worker
    }

    /// Ends what dead workers left waiting in the database, where each worker is a process that is gone.
    func endConnections() async throws {
        try await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", schema)
    }

    /// One AMQP message with these envelopes.
    func send(_ envelopes: [Envelope]) async throws {
        var writer = JSONWriter()
        for envelope in envelopes { envelope.encode(into: &writer) }
        try await send(writer.bytes, lane: LaneMap().lane(for: envelopes.first?.type ?? ""))
    }

    func send(_ body: [UInt8], lane: String = "default") async throws {
        _ = try await session.publish(AMQPMessage(body: body), exchange: names.inbound, routingKey: lane, mandatory: true)
    }

    /// How much is left in the lane's queues, unacked messages included; asked when no worker runs any more.
    func workLeft() async throws -> Int {
        var left = 0
        for queue in [names.work(lane: "default")] + suspectQueues { left += try await session.inspect(queue: queue).messageCount }
        return left
    }

    func deadLetters() async throws -> [AMQPMessage] {
        var letters: [AMQPMessage] = []
        while let letter = try await session.get(queue: names.dead) {
            try await session.ack(letter.tag)
            letters.append(letter.message)
        }
        return letters
    }

    /// Returns when a worker waits for a lock in the database.
    func someoneWaits() async throws {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '\(schema)' AND wait_event_type = 'Lock'"
        while try await count(sql) == 0 { try await Task.sleep(for: .milliseconds(5)) }
    }

    func count(_ sql: String) async throws -> Int { try await pool.query(sql).first?.decode(Int.self) ?? -1 }
}

extension SuspectSettings {
    /// So that a test sees in seconds what else takes minutes.
    static var quick: SuspectSettings {
        var settings = SuspectSettings()
        settings.minimalAge = .milliseconds(20) ... .milliseconds(100)
        settings.retrialAge = .milliseconds(20) ... .seconds(1)
        settings.renewal = .milliseconds(50)
        settings.deadAfter = .milliseconds(500)
        settings.patience = .seconds(2)
        settings.pause = .milliseconds(100)
        settings.longestPause = .seconds(2)
        return settings
    }
}

/// A worker in this process.
final class RunningWorker: Sendable {
    let task: Task<Void, Never>
    private let group: ServiceGroup
    private let readiness: AsyncStream<Bool>

    init(_ configuration: WorkerConfiguration, _ router: Router, logger given: Logger? = nil) {
        let (readiness, continuation) = AsyncStream.makeStream(of: Bool.self)
        self.readiness = readiness
        var logger = Logger(label: "worker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = ProcessInfo.processInfo.environment["SPARQ_TEST_LOG"].flatMap { Logger.Level(rawValue: $0) } ?? .critical
        let worker = Worker(configuration: configuration, router: router, logger: given ?? logger) { continuation.yield($0) }
        let group = ServiceGroup(
            configuration: .init(
                services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)],
                logger: Stack.quiet
            )
        )
        self.group = group
        task = Task.detached { try? await group.run() }
    }

    func ready() async throws {
        let alarm = Task {
            try await Task.sleep(for: .seconds(20))
            task.cancel()
        }
        for await isReady in readiness where isReady {
            alarm.cancel()
            return
        }
        throw Stack.Missing(description: "the worker did not become ready")
    }

    /// Returns when it says that it is not ready.
    func unready() async throws {
        let alarm = Task {
            try await Task.sleep(for: .seconds(20))
            task.cancel()
        }
        for await isReady in readiness where !isReady {
            alarm.cancel()
            return
        }
        throw Stack.Missing(description: "the worker did not become unready")
    }

    /// As SIGTERM does.
    func shutDown() async {
        await group.triggerGracefulShutdown()
        await task.value
    }

    /// Ends at once.
    func kill() async {
        task.cancel()
        await task.value
    }
}
