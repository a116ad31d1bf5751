import ArgumentParser
import Logging
import Messenger
import SparqPostgres
import ServiceLifecycle
import SparqBench
import SparqWire
import SparqWorker
import UnixSignals

/// `sparq worker`: takes messages from its lane's queue and runs the messenger's handlers.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker", abstract: "Run a worker.")

    @Option(help: "Address of the broker (SPARQ_AMQP_URL).")
    var amqpURL: String?

    @Option(help: "Address of the database (SPARQ_POSTGRES_URL).")
    var postgresURL: String?

    @Option(
        name: [.long, .customLong("pool")],
        help: "The lane that it serves (SPARQ_LANE); \"default\" is all that fronts send to no other."
    )
    var lane: String?

    @Option(help: "Folder with the numbered SQL files (SPARQ_MIGRATIONS).")
    var migrations: String?

    func run() async throws {
        let settings = try await Settings(overrides: [
            "SPARQ_AMQP_URL": amqpURL, "SPARQ_POSTGRES_URL": postgresURL, "SPARQ_LANE": lane, "SPARQ_MIGRATIONS": migrations,
        ])
        let logger = try settings.makeLogger("sparq.worker")
        let configuration = try settings.worker()
        let readiness = ReadinessReport(file: settings.text("SPARQ_READY_FILE"), logger: logger)
        var router = Router()
        // Passwords that wait hold few of the worker's slots.
        Messenger.register(on: &router, passwords: PasswordHasher(waiting: max(2, Int(configuration.prefetch) / 4)))
        if try settings.flag("SPARQ_BENCH", default: false) {
            // What `sparq bench echo` measures: the whole way, and nothing at its end.
            router.on(Echo.type, RawMessage.self) { message, _ in [.reply(RawJSON(message.json))] }
            // What `sparq bench neighbours --attack hang` says.
            router.on(HangingHandler.type, RawMessage.self) { _, _ in
                try await Task.sleep(for: .seconds(86400))
                return []
            }
        }
        let worker = Worker(configuration: configuration, router: router, logger: logger) { readiness.set($0) }
        var services: [any Service] = [SecondSignal()]
        let healthPort = try settings.integer("SPARQ_HEALTH_PORT", default: 0, in: 0...65535)
        if healthPort > 0 {
            services.append(
                HealthServer(
                    host: settings.text("SPARQ_HEALTH_HOST") ?? "127.0.0.1",
                    port: healthPort,
                    readiness: readiness,
                    logger: logger
                )
            )
        }
        services.append(
            MigratedWorker(
                worker: worker,
                database: configuration.postgres,
                migrator: try settings.flag("SPARQ_MIGRATE_AT_START", default: true) ? settings.migrator : nil,
                logger: logger
            )
        )
        defer { readiness.set(false) }
        try await ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

extension Settings {
    /// What a worker needs to know.
    func worker() throws -> WorkerConfiguration {
        var configuration = WorkerConfiguration(
            amqp: try amqp(connectionName: "sparq-worker"),
            postgres: try postgres(applicationName: "sparq-worker")
        )
        configuration.names = try names()
        configuration.lane = text("SPARQ_LANE") ?? configuration.lane
        guard configuration.lane != LaneMap.nodeLane else {
            throw SettingError(
                name: "SPARQ_LANE",
                problem: "\"\(LaneMap.nodeLane)\" is for what fronts send by themselves; all workers serve it"
            )
        }
        configuration.prefetch = UInt16(try integer("SPARQ_PREFETCH", default: Int(configuration.prefetch), in: 1...65535))
        configuration.commitsInFlight = try integer("SPARQ_COMMITS_IN_FLIGHT", default: configuration.commitsInFlight, in: 1...64)
        configuration.handlerTimeLimit = try milliseconds(
            "SPARQ_HANDLER_MS",
            default: configuration.handlerTimeLimit,
            in: 100...3_600_000
        )
        configuration.leaseDuration = try milliseconds("SPARQ_LEASE_MS", default: configuration.leaseDuration, in: 1000...600_000)
        configuration.replyDeadline = try milliseconds("SPARQ_REPLY_DEADLINE_MS", default: configuration.replyDeadline)
        configuration.eventRetention = .seconds(86400 * (try integer("SPARQ_EVENT_RETENTION_DAYS", default: 30, in: 1...36500)))
        configuration.inboxRetention = .seconds(3600 * (try integer("SPARQ_INBOX_RETENTION_HOURS", default: 24, in: 1...87600)))
        return configuration
    }
}
