import Foundation

/// Runs a tool to its end and takes what it writes.
enum Command {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func run(_ tool: String, _ arguments: [String], within limit: Duration = .seconds(30)) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(TestEnvironment.random("sparq-command-"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let process = try RunningProcess("command", executable: tool, arguments: arguments, environment: [:], folder: folder)
        let status = try await process.end(within: limit)
        guard status == 0 else { throw Failure(description: "\(tool) ended with \(status): \(process.log)") }
        return process.log
    }

    /// One statement by psql: a witness apart from the code under test.
    static func sql(_ statement: String, at url: String) async throws -> String {
        try await run("psql", [url, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
