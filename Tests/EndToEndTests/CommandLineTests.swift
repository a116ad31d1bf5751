import Foundation
import SparqWire
import Testing

/// What everybody on a machine can read of our processes.
@Suite(.timeLimit(.minutes(2))) struct CommandLineTests {
    @Test(arguments: [
        ["front", "--amqp-url", "amqp://guest:hunter2@127.0.0.1:1/"],
        ["front", "--amqp-url=amqp://guest:hunter2@127.0.0.1:1/"],
        ["worker", "--postgres-url", "host=127.0.0.1 port=1 password=hunter2", "--amqp-url", "amqp://guest:hunter2@127.0.0.1:1/"],
    ]) func noSecretStandsInTheCommandLine(_ arguments: [String]) async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let settings = await stack.frontSettings.merging(await stack.workerSettings) { $1 }
            let process = try await stack.launch("shown", arguments, settings)
            let line = { (try? String(contentsOfFile: "/proc/\(process.pid)/cmdline", encoding: .utf8)) ?? "" }
            try await eventually("the secret is hidden") { !line().isEmpty && !line().contains("hunter2") }
            // It has read what it does not show, and the rest of its command line stands.
            #expect(line().split(separator: "\0").dropFirst().first == arguments.first.map { $0[...] })
            try await eventually("it looks for its servers") { !process.log.isEmpty }
            #expect(process.isRunning && !process.log.contains("hunter2"))
        }
    }

    /// The version stands in one place; who releases another one changes the changelog too.
    @Test func theVersionIsTheChangelogs() async throws {
        let said = try await Command.run(try TestEnvironment.binary(), ["--version"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let page = try String(contentsOf: TestEnvironment.root.appendingPathComponent("CHANGELOG.md"), encoding: .utf8)
        let entry = page.split(separator: "\n").first { $0.hasPrefix("## ") }
        #expect(said == SparqVersion.text && entry?.split(separator: " ").dropFirst().first == said[...])
    }
}
