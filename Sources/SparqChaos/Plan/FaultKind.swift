/// What can be done to a running system.
enum FaultKind: String, CaseIterable, Sendable, Hashable {
    case killFront = "kill-front"
    case killWorker = "kill-worker"
    case killRabbitMQ = "kill-rabbitmq"
    case killPostgres = "kill-postgres"
    case pauseFront = "pause-front"
    case pauseWorker = "pause-worker"
    case pauseRabbitMQ = "pause-rabbitmq"
    case pausePostgres = "pause-postgres"
    case cutBroker = "cut-broker"
    case cutDatabase = "cut-database"
    case restartFront = "restart-front"
    case restartWorker = "restart-worker"
    case freezeBroker = "freeze-broker"
    case freezeDatabase = "freeze-database"
    case cutUnheard = "cut-unheard"
    case starveWorker = "starve-worker"
    case refuseWrites = "refuse-writes"
    case killAll = "kill-all"
    case crashLoop = "crash-loop"

    /// What it is done to.
    enum Victim: Sendable, Hashable { case front, worker, rabbitMQ, postgres, workers, everything }

    var victim: Victim {
        switch self {
        case .killFront, .pauseFront, .restartFront: .front
        case .killWorker, .pauseWorker, .restartWorker, .starveWorker: .worker
        case .killRabbitMQ, .pauseRabbitMQ, .cutBroker, .freezeBroker, .cutUnheard: .rabbitMQ
        case .killPostgres, .pausePostgres, .cutDatabase, .freezeDatabase, .refuseWrites: .postgres
        case .crashLoop: .workers
        case .killAll: .everything
        }
    }

    /// How long it lasts, in milliseconds. The longest pauses go beyond the node's lease (15 s) and the reply's deadline (10 s).
    var outage: ClosedRange<Int> {
        switch self {
        case .killFront, .killWorker, .killRabbitMQ, .killPostgres, .killAll: 200...4_000
        case .pauseFront, .pauseWorker: 3_000...20_000
        case .pauseRabbitMQ, .pausePostgres: 3_000...15_000
        case .cutBroker, .cutDatabase, .freezeBroker, .freezeDatabase: 0...0
        case .cutUnheard: 50...1_500
        case .starveWorker: 3_000...10_000
        case .refuseWrites: 3_000...20_000
        case .crashLoop: 4_000...15_000
        case .restartFront, .restartWorker: 0...500
        }
    }

    /// How long it usually takes until service is back after the outage, in milliseconds: most faults wait for the one before.
    var aftermath: Int {
        switch self {
        case .freezeBroker, .killAll: 12_000
        case .killRabbitMQ, .freezeDatabase, .crashLoop: 8_000
        case .killPostgres, .pauseRabbitMQ, .pausePostgres, .cutBroker: 3_000
        default: 1_000
        }
    }

    /// How often it is drawn, compared with the others.
    var weight: Int {
        switch self {
        case .killFront, .killWorker: 4
        case .killRabbitMQ, .killPostgres, .cutBroker, .cutDatabase: 3
        case .pauseFront, .pauseWorker, .restartFront, .restartWorker: 2
        case .pauseRabbitMQ, .pausePostgres, .starveWorker, .killAll, .crashLoop: 1
        case .freezeBroker, .freezeDatabase, .cutUnheard, .refuseWrites: 2
        }
    }
}
