import Foundation
import Glibc

/// A RabbitMQ for one test, which may do to it what others would not bear.
struct OwnBroker {
    let url: String
    private let folder: String

    static func with(_ body: (OwnBroker) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-broker-")).path
        do {
            _ = try await services(["start", folder])
            let line = try await services(["env", folder]).split(separator: "\n").first { $0.hasPrefix("SPARQ_AMQP_URL=") }
            guard let line else { throw TimedOut(description: "scripts/services names no broker") }
            try await body(OwnBroker(url: String(line.dropFirst("SPARQ_AMQP_URL=".count)), folder: folder))
        } catch {
            _ = try? await services(["clean", folder])
            throw error
        }
        _ = try await services(["clean", folder])
    }

    /// A memory alarm: from now on the broker reads nothing from connections that publish.
    func block() async throws { _ = try await Self.services(["ctl", folder, "set_vm_memory_high_watermark", "absolute", "1"]) }

    func unblock() async throws { _ = try await Self.services(["ctl", folder, "set_vm_memory_high_watermark", "absolute", "1GB"]) }

    /// From now on it refuses messages that are larger; on connections that are opened later.
    func limitMessages(to bytes: Int) async throws {
        let change = "application:set_env(rabbit, max_message_size, \(bytes)), persistent_term:put(max_message_size, \(bytes))."
        _ = try await Self.services(["ctl", folder, "eval", change])
    }

    /// SIGKILL, as a power cut.
    func kill() async throws {
        let pid = try await Self.services(["pid", "rabbitmq", folder]).trimmingCharacters(in: .whitespacesAndNewlines)
        _ = try await Command.run("kill", ["-KILL", pid])
    }

    /// A clean end, after which it holds what it has on its disk.
    func stop() async throws {
        let text = try await Self.services(["pid", "rabbitmq", folder]).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pid = pid_t(text) else { throw TimedOut(description: "scripts/services names no process: \(text)") }
        Glibc.kill(pid, SIGTERM)
        try await eventually("the broker is gone", within: .seconds(60)) { Glibc.kill(pid, 0) != 0 }
    }

    /// Starts it again, at the same port.
    func start() async throws { _ = try await Self.services(["start", folder]) }

    private static func services(_ arguments: [String]) async throws -> String {
        let script = TestEnvironment.root.appendingPathComponent("scripts/services").path
        return try await Command.run(script, arguments, within: .seconds(120))
    }
}
