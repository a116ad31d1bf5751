import Foundation

/// What the system knows of other processes.
enum ProcessTable {
    /// The soft limit alone, by util-linux's program: Swift does not see prlimit(2).
    static func limitOpenFiles(of pid: pid_t, to count: String) async throws {
        _ = try await RunningProcess.output(of: "/usr/bin/prlimit", ["--pid", "\(pid)", "--nofile=\(count):"])
    }

    /// The processes that `parent` started and that still run.
    static func children(of parent: pid_t) -> [pid_t] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { pid_t($0) }.filter { pid in
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = stat.lastIndex(of: ")") else {
                return false
            }
            // Behind the name in parentheses: the state, then the parent (proc(5)).
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            return fields.count > 1 && pid_t(fields[1]) == parent
        }
    }
}
