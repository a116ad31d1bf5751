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

    /// What it is done to.
    enum Victim: Sendable, Hashable { case front, worker, rabbitMQ, postgres }

    var victim: Victim {
        switch self {
        case .killFront, .pauseFront, .restartFront: .front
        case .killWorker, .pauseWorker, .restartWorker: .worker
        case .killRabbitMQ, .pauseRabbitMQ, .cutBroker: .rabbitMQ
        case .killPostgres, .pausePostgres, .cutDatabase: .postgres
        }
    }

    /// How long it lasts, in milliseconds. The longest pauses go beyond the node's lease (15 s) and the reply's deadline (10 s).
    var outage: ClosedRange<Int> {
        switch self {
        case .killFront, .killWorker, .killRabbitMQ, .killPostgres: 200...4_000
        case .pauseFront, .pauseWorker: 3_000...20_000
        case .pauseRabbitMQ, .pausePostgres: 3_000...15_000
        case .cutBroker, .cutDatabase: 0...0
        case .restartFront, .restartWorker: 0...500
        }
    }

    /// How long it usually takes until service is back after the outage, in milliseconds: most faults wait for the one before.
    var aftermath: Int {
        switch self {
        case .killRabbitMQ: 8_000
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
        case .pauseRabbitMQ, .pausePostgres: 1
        }
    }
}
