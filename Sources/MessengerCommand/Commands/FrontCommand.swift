import ArgumentParser
import Logging
import ServiceLifecycle
import SparqFront
import SparqWire
import UnixSignals

/// `sparq front`: one node that keeps clients' sockets.
struct FrontCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "front", abstract: "Run a front.")

    @Option(help: "Address of the broker (SPARQ_AMQP_URL).")
    var amqpURL: String?

    @Option(help: "Where to listen (SPARQ_HTTP_HOST).")
    var host: String?

    @Option(help: "Where to listen; 0 takes a free port (SPARQ_HTTP_PORT).")
    var port: String?

    @Option(help: "The node's id, unique in the cluster (SPARQ_NODE_ID).")
    var nodeID: String?

    @Flag(help: "Answer every WebSocket message with itself, on the same frame path, without broker or worker: for conformance tests.")
    var echo = false

    func run() async throws {
        RaisedLimits.raiseOpenFiles()
        let settings = try await Settings(overrides: [
            "SPARQ_AMQP_URL": amqpURL, "SPARQ_HTTP_HOST": host, "SPARQ_HTTP_PORT": port, "SPARQ_NODE_ID": nodeID,
        ])
        let logger = try settings.makeLogger("sparq.front")
        let (host, port) = try settings.listen()
        var services: [any Service] = [SecondSignal()]
        if echo {
            services.append(EchoServer(host: host, port: port, logger: logger))
        } else {
            var configuration = try settings.front()
            if configuration.maxConnections > RaisedLimits.sockets {
                configuration.maxConnections = RaisedLimits.sockets
                logger.warning(
                    "The process may open fewer files than SPARQ_CONNECTIONS: it takes fewer sockets",
                    metadata: ["sockets": "\(configuration.maxConnections)"]
                )
            }
            let front = try Front(configuration: configuration, logger: logger)
            services.append(front)
            if let file = settings.text("SPARQ_PORT_FILE") { services.append(PortFile(path: file, front: front)) }
        }
        try await ServiceGroup(
            configuration: .init(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }
}

extension Settings {
    fileprivate func listen() throws(SettingError) -> (host: String, port: Int) {
        (text("SPARQ_HTTP_HOST") ?? "127.0.0.1", try integer("SPARQ_HTTP_PORT", default: 8080, in: 0...65535))
    }

    /// What a front needs to know.
    fileprivate func front() throws(SettingError) -> FrontConfiguration {
        let secret = try requiredText("SPARQ_JWT_SECRET")
        guard secret.utf8.count >= 32 else { throw SettingError(name: "SPARQ_JWT_SECRET", problem: "is shorter than 32 bytes") }
        var configuration = FrontConfiguration(broker: try amqp(connectionName: "sparq-front"), sessionSecret: secret)
        configuration.node = text("SPARQ_NODE_ID")
        (configuration.host, configuration.port) = try listen()
        configuration.names = try names()
        configuration.lanes = try value("SPARQ_LANES", text("SPARQ_LANES") ?? "") { try LaneMap($0) }
        configuration.webRoot = text("SPARQ_WEB_ROOT")
        configuration.devCookie = try flag("SPARQ_DEV_COOKIE", default: false)
        configuration.secureCookie = try flag("SPARQ_SECURE_COOKIE", default: true)
        configuration.allowedOrigins = try value("SPARQ_ALLOWED_ORIGINS", text("SPARQ_ALLOWED_ORIGINS") ?? "") { try AllowedOrigins($0) }
        if let policy = text("SPARQ_CONTENT_SECURITY_POLICY") {
            guard policy.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
                throw SettingError(name: "SPARQ_CONTENT_SECURITY_POLICY", problem: "is no single line of ASCII")
            }
            configuration.contentSecurityPolicy = policy
        }
        configuration.sessionLifetime = .seconds(3600 * (try integer("SPARQ_SESSION_HOURS", default: 168, in: 1...87600)))
        configuration.messageBytes = try integer("SPARQ_MESSAGE_BYTES", default: configuration.messageBytes, in: 1024...(16 << 20))
        configuration.topicsPerConnection = try integer("SPARQ_TOPICS", default: configuration.topicsPerConnection, in: 1...100_000)
        configuration.outboundBytes = try integer("SPARQ_OUTBOUND_BYTES", default: configuration.outboundBytes, in: 65536...(1 << 30))
        configuration.inFlight = try integer("SPARQ_IN_FLIGHT", default: configuration.inFlight, in: 1...65536)
        configuration.messagesPerSecond = try integer("SPARQ_RATE", default: configuration.messagesPerSecond, in: 1...1_000_000)
        configuration.burst = try integer(
            "SPARQ_BURST",
            default: max(configuration.burst, configuration.messagesPerSecond),
            in: 1...1_000_000
        )
        configuration.requestsPerSecond = try integer("SPARQ_HTTP_RATE", default: configuration.requestsPerSecond, in: 1...1_000_000)
        configuration.requestBurst = try integer(
            "SPARQ_HTTP_BURST",
            default: max(configuration.requestBurst, configuration.requestsPerSecond),
            in: 1...1_000_000
        )
        configuration.forwardedHeader = text("SPARQ_FORWARDED_HEADER")
        configuration.maxConnections = try integer("SPARQ_CONNECTIONS", default: configuration.maxConnections, in: 1...10_000_000)
        configuration.unconfirmedBatches = try integer("SPARQ_UNCONFIRMED_BATCHES", default: configuration.unconfirmedBatches, in: 1...64)
        configuration.queueBytes = try integer("SPARQ_NODE_QUEUE_BYTES", default: configuration.queueBytes, in: 65536...(1 << 40))
        configuration.replyDeadline = try milliseconds("SPARQ_REPLY_DEADLINE_MS", default: configuration.replyDeadline)
        configuration.pingInterval = try milliseconds("SPARQ_PING_MS", default: configuration.pingInterval)
        configuration.pongTimeout = try milliseconds("SPARQ_PONG_MS", default: configuration.pongTimeout)
        configuration.lease = try milliseconds("SPARQ_LEASE_MS", default: configuration.lease, in: 1000...600_000)
        configuration.drainWindow = try milliseconds("SPARQ_DRAIN_WINDOW_MS", default: configuration.drainWindow, in: 0...3_600_000)
        return configuration
    }
}
