import Foundation
import Glibc
import Synchronization

/// A real process: its log goes to a file, which failures show.
///
/// Started by `posix_spawn` and waited for by a thread: Foundation's `Process` sees an end only when the grandchildren have ended
/// too, and lets children inherit sockets.
final class RunningProcess: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let name: String
    let pid: pid_t
    let logFile: URL
    private let outcome = Outcome()

    private final class Outcome: Sendable {
        let status = Mutex<Int32?>(nil)
    }

    /// Exit status; for a signal its number plus 128; `nil` while it runs.
    var status: Int32? { outcome.status.withLock { $0 } }
    var isRunning: Bool { status == nil }
    var log: String { (try? String(decoding: Data(contentsOf: logFile), as: UTF8.self)) ?? "" }

    /// - Parameter executable: a path, or a name that `PATH` leads to.
    init(_ name: String, executable: String, arguments: [String], environment: [String: String], folder: URL) throws {
        self.name = name
        logFile = folder.appendingPathComponent("\(name).log")
        var all = environment
        for key in ["PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR"] where all[key] == nil {
            all[key] = ProcessInfo.processInfo.environment[key]
        }
        pid = try Self.spawn([executable] + arguments, all.map { "\($0)=\($1)" }, log: logFile.path, folder: folder.path)
        let (pid, outcome) = (pid, outcome)
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            // The macros of wait(2): the low seven bits are the signal, the next byte is the exit status.
            let signal = status & 0x7F
            let code = signal == 0 ? (status >> 8) & 0xFF : signal + 128
            outcome.status.withLock { $0 = code }
        }
    }

    private static func spawn(_ arguments: [String], _ environment: [String], log: String, folder: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The test runner's threads may have signals blocked or ignored; the child starts as from a shell.
        var (none, every) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&every)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &every)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Through a shell that becomes the process: it goes to the folder, and closes the sockets that the test runner has open.
        let enter = #"cd "$0"; for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd < 3)) || exec {fd}>&-; done; exec "$@""#
        let arguments = ["/bin/bash", "-c", enter, folder] + arguments
        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: pid_t = 0
        let error = posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
        guard error == 0 else { throw Failure(description: "\(arguments[0]) does not start: \(String(cString: strerror(error)))") }
        return pid
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
