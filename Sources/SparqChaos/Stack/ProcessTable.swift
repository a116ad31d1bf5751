import Foundation

/// What the system knows of other processes.
enum ProcessTable {
    /// The soft limit of open files (proc(5)).
    static func openFilesLimit(of pid: pid_t) throws -> String {
        let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8).split(separator: "\n")
        let fields = limits.first { $0.hasPrefix("Max open files") }?.split(separator: " ") ?? []
        guard fields.count > 3 else { throw ChaosError("no limit of open files of \(pid)") }
        return String(fields[3])
    }

    /// A limit at which the process may have a few more descriptors, which are among its last ones if that can be.
    static func limitWithFewFree(of pid: pid_t) throws -> Int {
        let open = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").compactMap { Int($0) })
        let free = (0..<(open.count + 8)).filter { !open.contains($0) }
        return max(free[0] + 16, free[7] + 1)
    }

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
