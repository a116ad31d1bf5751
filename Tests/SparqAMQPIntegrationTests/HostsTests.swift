import SparqAMQP
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(1))) struct HostsTests {
    /// A host that takes connections and says nothing, one that refuses them, and the broker. Wherever it begins, it passes all of them.
    @Test func aSilentHostAndADeadOneHoldUpNobody() async throws {
        let silent = try Ports.listen()
        var (proxy, configuration) = try Broker.proxied()
        defer { proxy.close() }
        configuration.hosts = [
            AMQPHost("127.0.0.1", port: silent.port), AMQPHost("127.0.0.1", port: try Ports.free()), configuration.hosts[0],
        ]
        configuration.connectTimeout = .seconds(2)
        let log = StateLog()
        let publisher = Publisher(configuration: configuration, logger: Broker.logger) { log.add($0) }
        let cutting = proxy
        try await running(publisher) {
            for _ in 0..<3 {
                let position = log.count
                try await log.connected(from: position)
                // The broker had its turn: the two others come before it does again.
                let cut = log.count
                cutting.cut()
                try await log.connected(from: cut)
                let failures = log.all[cut...].compactMap { if case .disconnected(let error) = $0 { error } else { nil } }
                #expect(failures.count == 3, "\(failures)")
                cutting.cut()
            }
        }
        let session = try await AMQPSession(configuration)
        session.close()
    }
}
