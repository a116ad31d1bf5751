import Foundation
import Synchronization

/// A real process whose output goes to a file. Its pid lies beside the log, so that a run that was killed can be cleaned up.
///
/// Not Foundation's `Process`: on Linux that takes a process for running as long as anything it started runs, and servers outlive scripts.
final class RunningProcess: Sendable {
    let name: String
    let pid: pid_t
    private let known = Mutex<Int32?>(nil)

    /// Exit status; for a signal its number plus 128; `nil` while it runs.
    var status: Int32? {
        known.withLock { known in
            if known == nil {
                var raw: Int32 = 0
                // waitpid(2): 0 is "still running"; the low seven bits are the signal, the next byte is the exit status.
                if waitpid(pid, &raw, WNOHANG) == pid { known = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : (raw & 0x7F) + 128 }
            }
            return known
        }
    }

    init(_ name: String, executable: String, arguments: [String], environment: [String: String], folder: URL) throws {
        self.name = name
        var all = environment
        for key in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] where all[key] == nil {
            all[key] = ProcessInfo.processInfo.environment[key]
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let log = folder.appendingPathComponent("\(name).log").path
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // A group of its own: an interrupt at the terminal is for the harness, which then cleans up.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        let argv = ([executable] + arguments).map { strdup($0) } + [nil]
        let envp = all.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, executable, &actions, &attributes, argv, envp)
        guard code == 0 else { throw ChaosError("\(executable) does not start: \(String(cString: strerror(code)))") }
        self.pid = pid
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

extension RunningProcess {
    /// What a program says that ends by itself, within three minutes and with status 0.
    ///
    /// Output goes by a file: servers inherit it, and a pipe would be open as long as they run.
    static func output(of executable: String, _ arguments: [String]) async throws -> String {
        let name = URL(fileURLWithPath: executable).lastPathComponent
        let place = FileManager.default.temporaryDirectory
            .appendingPathComponent("sparq-chaos-\(name)-\(UInt32.random(in: .min ... .max))")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let process = try RunningProcess(name, executable: executable, arguments: arguments, environment: [:], folder: place)
        let status = await process.end(within: .seconds(180))
        let output = (try? String(contentsOf: place.appendingPathComponent("\(name).log"), encoding: .utf8)) ?? ""
        guard status == 0 else { throw ChaosError("\(name) \(arguments.joined(separator: " ")) ended with \(status): \(output)") }
        return output
    }
}

/// Sleeps although the task may be cancelled: what cleans up must not be hurried.
func pause(_ duration: Duration) async {
    await Task.detached { try? await Task.sleep(for: duration) }.value
}
