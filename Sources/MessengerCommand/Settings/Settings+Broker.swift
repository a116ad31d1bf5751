import SparqAMQP
import SparqWire

extension Settings {
    /// Where the broker is.
    func amqp(connectionName: String) throws(SettingError) -> AMQPConfiguration {
        let name = "SPARQ_AMQP_URL"
        let url = try requiredText(name)
        var configuration = try value(name, url) { try AMQPConfiguration(url: $0) }
        configuration.connectionName = connectionName
        // A broker restarts in some seconds. Clients wait all that time: a node must not sleep on for many more.
        configuration.backoff.maximum = .seconds(2)
        return configuration
    }

    /// What the names of exchanges and queues begin with.
    func names() throws(SettingError) -> BrokerNames {
        let prefix = text("SPARQ_PREFIX") ?? "sparq"
        guard prefix.utf8.count <= 64, prefix.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }) else {
            throw SettingError(
                name: "SPARQ_PREFIX",
                problem: "\"\(prefix)\" is not made of up to 64 letters, digits, \"-\", \"_\" and \".\""
            )
        }
        return BrokerNames(prefix: prefix)
    }
}
