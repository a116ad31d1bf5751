import Foundation
import Synchronization

/// A real process whose output goes to a file. Its pid lies beside the log, so that a run that was killed can be cleaned up.
final class RunningProcess: Sendable {
    let name: String
    let pid: pid_t
    private let outcome: Outcome

    private final class Outcome: Sendable {
        let status = Mutex<Int32?>(nil)
    }

    /// Exit status; for a signal its number plus 128; `nil` while it runs.
    var status: Int32? { outcome.status.withLock { $0 } }

    init(_ name: String, executable: String, arguments: [String], environment: [String: String], folder: URL) throws {
        self.name = name
        let log = folder.appendingPathComponent("\(name).log")
        if !FileManager.default.fileExists(atPath: log.path) { _ = FileManager.default.createFile(atPath: log.path, contents: nil) }
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        var all = environment
        for key in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] where all[key] == nil { all[key] = ProcessInfo.processInfo.environment[key] }
        process.environment = all
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let outcome = Outcome()
        self.outcome = outcome
        process.terminationHandler = { process in
            let status = process.terminationReason == .uncaughtSignal ? process.terminationStatus + 128 : process.terminationStatus
            outcome.status.withLock { $0 = status }
        }
        try process.run()
        pid = process.processIdentifier
        try output.close()
        try String(pid).write(to: folder.appendingPathComponent("\(name).pid"), atomically: true, encoding: .utf8)
    }

    func signal(_ number: Int32) {
        if status == nil { kill(pid, number) }
    }

    /// Waits for the end; kills after `limit`. Returns the exit status.
    @discardableResult
    func end(within limit: Duration) async -> Int32 {
        let deadline = ContinuousClock.now + limit
        while true {
            if let status { return status }
            if ContinuousClock.now >= deadline { signal(SIGKILL) }
            await pause(.milliseconds(20))
        }
    }
}

/// Sleeps although the task may be cancelled: what cleans up must not be hurried.
func pause(_ duration: Duration) async {
    await Task.detached { try? await Task.sleep(for: duration) }.value
}
