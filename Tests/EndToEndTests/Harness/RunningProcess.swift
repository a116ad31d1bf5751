import Foundation
import Synchronization

/// A real process: its log goes to a file, which failures show.
final class RunningProcess: Sendable {
    let name: String
    let pid: pid_t
    let logFile: URL
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let status = Mutex<Int32?>(nil)
    }

    /// Exit status; for a signal its number plus 128; `nil` while it runs.
    var status: Int32? { outcome.status.withLock { $0 } }
    var isRunning: Bool { status == nil }
    var log: String { (try? String(contentsOf: logFile, encoding: .utf8)) ?? "" }

    init(_ name: String, executable: String, arguments: [String], environment: [String: String], folder: URL) throws {
        self.name = name
        logFile = folder.appendingPathComponent("\(name).log")
        if !FileManager.default.fileExists(atPath: logFile.path) { _ = FileManager.default.createFile(atPath: logFile.path, contents: nil) }
        let log = try FileHandle(forWritingTo: logFile)
        try log.seekToEnd()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        var all = environment
        for key in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] where all[key] == nil {
            all[key] = ProcessInfo.processInfo.environment[key]
        }
        process.environment = all
        process.currentDirectoryURL = folder
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        let outcome = Outcome()
        self.outcome = outcome
        process.terminationHandler = { process in
            let status = process.terminationReason == .uncaughtSignal ? process.terminationStatus + 128 : process.terminationStatus
            outcome.status.withLock { $0 = status }
        }
        try process.run()
        pid = process.processIdentifier
        try log.close()
    }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// SIGTERM, and the exit status.
    func stop(within limit: Duration = .seconds(30)) async throws -> Int32 {
        signal(SIGTERM)
        return try await end(within: limit)
    }

    /// SIGKILL: no chance to say goodbye.
    func killNow() async throws {
        signal(SIGKILL)
        _ = try await end(within: .seconds(10))
    }

    func end(within limit: Duration) async throws -> Int32 {
        try await eventually("\(name) ended", within: limit) { status }
    }
}
