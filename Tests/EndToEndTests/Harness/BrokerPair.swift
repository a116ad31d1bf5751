import SparqAMQP
import Foundation
import Glibc

/// Two RabbitMQ nodes in one cluster, of which one may die. Everything that they write lies in one folder.
///
/// The second one joins an older first one, so what is declared before that lives on the first alone: quorum queues too have a leader whatever
/// becomes of the second.
struct BrokerPair {
    struct Node {
        let name: String
        let port: Int
        let process: RunningProcess
        fileprivate let folder: URL
        fileprivate let environment: [String: String]

        fileprivate init(_ name: String, port: Int, folder: URL, environment: [String: String]) throws {
            (self.name, self.port, self.folder, self.environment) = (name, port, folder, environment)
            process = try RunningProcess(
                folder.lastPathComponent,
                executable: "/usr/lib/rabbitmq/bin/rabbitmq-server",
                arguments: [],
                environment: environment,
                folder: folder
            )
        }

        /// Starts it again after its death, with what it has on its disk.
        func startAgain() throws -> Node {
            try FileManager.default.removeItem(at: folder.appendingPathComponent("pid"))
            return try Node(name, port: port, folder: folder, environment: environment)
        }

        var url: String { "amqp://guest:guest@127.0.0.1:\(port)" }

        /// SIGKILL.
        func kill() async throws {
            let text = try String(contentsOf: folder.appendingPathComponent("pid"), encoding: .utf8)
            guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
                throw TimedOut(description: "\(name) has written no process id")
            }
            Glibc.kill(pid, SIGKILL)
            try await eventually("\(name) is dead") { Glibc.kill(pid, 0) != 0 }
        }

        /// Waits until it serves clients.
        func awaitReady() async throws {
            try await eventually("\(name) serves clients", within: .seconds(120)) {
                guard process.isRunning else { throw TimedOut(description: "\(name) does not start:\n\(process.log.suffix(2_000))") }
                guard let session = try? await AMQPSession(try AMQPConfiguration(url: url)) else { return false }
                session.close()
                return true
            }
        }
    }

    let first: Node
    private let folder: URL
    private let epmdPort: Int

    /// Runs `body` with the first node, and leaves nothing of either behind.
    static func with(_ body: (BrokerPair) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-pair-"))
        let epmdPort = try await freePort()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let cookie = folder.appendingPathComponent(".erlang.cookie")
            try TestEnvironment.random("cookie").write(to: cookie, atomically: true, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o400], ofItemAtPath: cookie.path)
            let pair = BrokerPair(first: try await launch("first", in: folder, epmdPort, joining: nil), folder: folder, epmdPort: epmdPort)
            try await pair.first.awaitReady()
            try await body(pair)
        } catch {
            await remove(folder, epmdPort)
            throw error
        }
        await remove(folder, epmdPort)
    }

    /// Starts the second node, which joins the first.
    func startSecond() async throws -> Node {
        try await Self.launch("second", in: folder, epmdPort, joining: first.name)
    }

    private static func launch(_ name: String, in home: URL, _ epmdPort: Int, joining other: String?) async throws -> Node {
        let folder = home.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let port = try await freePort()
        let join = other.map {
            """
            cluster_formation.peer_discovery_backend = classic_config
            cluster_formation.classic_config.nodes.1 = \($0)
            cluster_formation.randomized_startup_delay_range.min = 0
            cluster_formation.randomized_startup_delay_range.max = 0
            """
        }
        let files = [
            "environment": "", "advanced.config": "[].", "enabled_plugins": "[].",
            "rabbitmq.conf": """
            listeners.tcp.1 = 127.0.0.1:\(port)
            vm_memory_high_watermark.absolute = 1GB
            disk_free_limit.absolute = 50MB
            \(join ?? "")

            """,
        ]
        for (file, text) in files { try text.write(to: folder.appendingPathComponent(file), atomically: true, encoding: .utf8) }
        let nodeName = "\(name)\(port)@localhost"
        func path(_ part: String) -> String { folder.appendingPathComponent(part).path }
        let environment = [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "HOME": home.path, "RABBITMQ_NODENAME": nodeName,
            "RABBITMQ_CONF_ENV_FILE": path("environment"), "RABBITMQ_MNESIA_BASE": path("mnesia"), "RABBITMQ_LOG_BASE": path("log"),
            "RABBITMQ_CONFIG_FILE": path("rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE": path("advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": path("enabled_plugins"), "RABBITMQ_PLUGINS_EXPAND_DIR": path("plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": path("generated"), "RABBITMQ_PID_FILE": path("pid"),
            "RABBITMQ_DIST_PORT": String(try await freePort()), "ERL_EPMD_PORT": String(epmdPort), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        ]
        return try Node(nodeName, port: port, folder: folder, environment: environment)
    }

    private static func freePort() async throws -> Int { try await Forwarder(toHost: "127.0.0.1", port: 0).port }

    private static func remove(_ folder: URL, _ epmdPort: Int) async {
        for name in ["first", "second"] {
            let file = folder.appendingPathComponent(name).appendingPathComponent("pid")
            guard let text = try? String(contentsOf: file, encoding: .utf8),
                let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { continue }
            Glibc.kill(pid, SIGKILL)
            try? await eventually("\(name) is dead") { Glibc.kill(pid, 0) != 0 }
        }
        _ = try? await Command.run("/usr/bin/epmd", ["-port", String(epmdPort), "-kill"], within: .seconds(10))
        try? FileManager.default.removeItem(at: folder)
    }
}
