import SparqAMQP
import Foundation
import Glibc
import Synchronization

/// A RabbitMQ node of its own for tests that kill, block or encrypt it. Everything that it writes lies in one folder under /tmp.
final class PrivateBroker: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let port: UInt16
    let tlsPort: UInt16
    let folder: String
    private let environment: [String: String]
    private let epmdPort: UInt16
    /// The shell that waits for the node. It inherits the blocked signals of the test's thread, so it never notices the node's end.
    private let shell = Mutex<Process?>(nil)
    private static let binaries = "/usr/lib/rabbitmq/bin"

    var configuration: AMQPConfiguration { Broker.quick(AMQPConfiguration(host: "127.0.0.1", port: port)) }
    var authorityFile: String { "\(folder)/tls/ca.pem" }

    init() throws {
        port = try Ports.free()
        tlsPort = try Ports.free()
        epmdPort = try Ports.free()
        folder = "/tmp/amqp-tests-\(getpid())-\(port)"
        for part in ["home", "mnesia", "log", "generated", "plugins", "tls"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        try "".write(toFile: "\(folder)/environment", atomically: true, encoding: .utf8)
        try "[].".write(toFile: "\(folder)/advanced.config", atomically: true, encoding: .utf8)
        try "[].".write(toFile: "\(folder)/enabled_plugins", atomically: true, encoding: .utf8)
        try """
        listeners.tcp.1 = 127.0.0.1:\(port)
        listeners.ssl.1 = 127.0.0.1:\(tlsPort)
        ssl_options.cacertfile = \(folder)/tls/ca.pem
        ssl_options.certfile = \(folder)/tls/server.pem
        ssl_options.keyfile = \(folder)/tls/server.key
        ssl_options.verify = verify_none
        vm_memory_high_watermark.absolute = 1GB
        disk_free_limit.absolute = 50MB

        """.write(toFile: "\(folder)/rabbitmq.conf", atomically: true, encoding: .utf8)
        environment = [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": "\(folder)/home",
            "RABBITMQ_CONF_ENV_FILE": "\(folder)/environment",
            "RABBITMQ_NODENAME": "amqp\(port)@localhost",
            "RABBITMQ_MNESIA_BASE": "\(folder)/mnesia",
            "RABBITMQ_LOG_BASE": "\(folder)/log",
            "RABBITMQ_CONFIG_FILE": "\(folder)/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": "\(folder)/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": "\(folder)/enabled_plugins",
            "RABBITMQ_PLUGINS_EXPAND_DIR": "\(folder)/plugins",
            "RABBITMQ_GENERATED_CONFIG_DIR": "\(folder)/generated",
            "RABBITMQ_PID_FILE": "\(folder)/pid",
            "RABBITMQ_DIST_PORT": "\(try Ports.free())",
            "ERL_EPMD_PORT": "\(epmdPort)",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        ]
        try makeCertificates()
    }

    /// Runs a broker for a test, and leaves nothing of it behind.
    static func with(_ body: @Sendable (PrivateBroker) async throws -> Void) async throws {
        let broker = try PrivateBroker()
        do {
            try await broker.start()
            try await body(broker)
        } catch {
            broker.remove()
            throw error
        }
        broker.remove()
    }

    /// Starts the node, and returns when it serves clients.
    func start() async throws {
        let process = try launch("\(Self.binaries)/rabbitmq-server", [], log: "\(folder)/log/console")
        shell.withLock { $0 = process }
        let end = ContinuousClock.now + .seconds(90)
        while true {
            if let session = try? await AMQPSession(configuration) {
                session.close()
                return
            }
            guard ContinuousClock.now < end, process.isRunning else { throw Failure(description: "the private broker does not start") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Waits until the node has written down that it has this quorum queue. RabbitMQ 3.10 does so seconds after the declaration; killed
    /// before, it comes back with an empty queue that never elects a leader.
    func hasRegistered(quorumQueue: String) async throws {
        let node = "amqp\(port)@localhost"
        let names = URL(fileURLWithPath: "\(folder)/mnesia/\(node)/quorum/\(node)/names.dets")
        try await eventually("the queue is on the disk", within: .seconds(30)) {
            try Data(contentsOf: names).range(of: Data(quorumQueue.utf8)) != nil
        }
    }

    /// SIGKILL, and waits until it is dead.
    func kill() async throws {
        let pid = try processID()
        Glibc.kill(pid, SIGKILL)
        killShell()
        try await eventually("the broker is dead") { Glibc.kill(pid, 0) != 0 }
    }

    func control(_ arguments: String...) async throws {
        let process = try launch("\(Self.binaries)/rabbitmqctl", arguments, log: "\(folder)/log/control")
        try await eventually("rabbitmqctl ends", within: .seconds(60)) { !process.isRunning }
        guard process.terminationStatus == 0 else { throw Failure(description: "rabbitmqctl \(arguments) failed") }
    }

    private func remove() {
        if let pid = try? processID() {
            Glibc.kill(pid, SIGKILL)
            killShell()
            for _ in 0..<500 where Glibc.kill(pid, 0) == 0 { usleep(10000) }
        }
        let process = try? launch("/usr/bin/epmd", ["-port", "\(epmdPort)", "-kill"], log: "/dev/null")
        process?.waitUntilExit()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func killShell() {
        guard let process = shell.withLock({ $0 }), process.isRunning else { return }
        Glibc.kill(process.processIdentifier, SIGKILL)
    }

    private func processID() throws -> pid_t {
        let text = try String(contentsOfFile: "\(folder)/pid", encoding: .utf8)
        guard let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)) else { throw Failure(description: "no process id") }
        return pid
    }

    private func makeCertificates() throws {
        let tls = "\(folder)/tls"
        try "subjectAltName=DNS:localhost".write(toFile: "\(tls)/server.ext", atomically: true, encoding: .utf8)
        let commands = [
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority -keyout \(tls)/ca.key -out \(tls)/ca.pem",
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout \(tls)/server.key -out \(tls)/server.csr",
            "x509 -req -days 2 -in \(tls)/server.csr -CA \(tls)/ca.pem -CAkey \(tls)/ca.key -CAcreateserial -extfile \(tls)/server.ext -out \(tls)/server.pem",
        ]
        for command in commands {
            let process = try launch("/usr/bin/openssl", command.split(separator: " ").map(String.init), log: "\(folder)/log/openssl")
            process.waitUntilExit()
            guard process.terminationStatus == 0 else { throw Failure(description: "openssl failed") }
        }
    }

    private func launch(_ path: String, _ arguments: [String], log: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        if !FileManager.default.fileExists(atPath: log) { _ = FileManager.default.createFile(atPath: log, contents: nil) }
        let output = FileHandle(forWritingAtPath: log) ?? .nullDevice
        process.standardOutput = output
        process.standardError = output
        try process.run()
        return process
    }
}
