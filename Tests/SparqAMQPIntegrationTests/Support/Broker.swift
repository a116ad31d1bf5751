import SparqAMQP
import Glibc
import Logging
import Testing

/// The broker that the tests run against, and names that no other test uses.
enum Broker {
    static func configuration() throws -> AMQPConfiguration {
        guard let value = getenv("SPARQ_TEST_AMQP_URL") else {
            Issue.record("SPARQ_TEST_AMQP_URL must name a RabbitMQ broker, for example amqp://guest:guest@127.0.0.1:5672")
            throw MissingBroker()
        }
        return quick(try AMQPConfiguration(url: String(cString: value)))
    }

    /// The same, by way of a proxy.
    static func proxied() throws -> (Proxy, AMQPConfiguration) {
        var configuration = try configuration()
        let proxy = try Proxy(to: configuration.hosts[0].port)
        configuration.hosts = [AMQPHost("127.0.0.1", port: proxy.port)]
        return (proxy, configuration)
    }

    /// The same, with short pauses between attempts.
    static func quick(_ configuration: AMQPConfiguration) -> AMQPConfiguration {
        var configuration = configuration
        configuration.backoff = BackoffSettings(initial: .milliseconds(20), maximum: .milliseconds(200))
        return configuration
    }

    static func name(_ stem: String) -> String {
        "test.\(stem).\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    static let logger: Logger = {
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return logger
    }()

    struct MissingBroker: Error {}
}
