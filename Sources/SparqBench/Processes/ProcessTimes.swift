import CEpoll  // Where its headers are read first, `timespec` is one of its declarations.
import Foundation
import Glibc

/// Processes whose CPU time and memory are read from `/proc`.
public struct WatchedProcesses: Sendable {
    /// A kind's name and its processes.
    public var groups: [(name: String, pids: [Int])] = []

    /// From `name=pid` or `name=pid,pid`; where nothing is given, those of Sparq, RabbitMQ and PostgreSQL that run here.
    public init(_ given: [String]) throws {
        for text in given {
            let parts = text.split(separator: "=", maxSplits: 1)
            let pids = parts.count == 2 ? parts[1].split(separator: ",").compactMap { Int($0) } : []
            guard !pids.isEmpty else { throw BenchError("\"\(text)\" is not name=pid") }
            groups.append((String(parts[0]), pids))
        }
        if given.isEmpty { groups = Self.found() }
    }

    /// The processes of a kind.
    func pids(_ name: String) -> [Int] { groups.first { $0.name == name }?.pids ?? [] }

    /// CPU time so far of each process, nanoseconds, by kind; the generator's own too.
    func times() -> [(name: String, nanoseconds: [Int: Int])] {
        var own = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own)
        let tree = groups.contains { $0.name == "database" } ? Self.children() : [:]
        return [("generator", [Int(getpid()): own.tv_sec * 1_000_000_000 + own.tv_nsec])]
            + groups.map { name, pids in
                // A database is a family of processes.
                let family = pids + (name == "database" ? pids.flatMap { tree[$0] ?? [] } : [])
                return (name, Dictionary(uniqueKeysWithValues: Set(family).map { ($0, Self.time(of: $0)) }))
            }
    }

    /// Resident bytes of the processes of a kind.
    func residentBytes(_ name: String) -> Int {
        pids(name).reduce(0) { sum, pid in
            let fields = Self.read("/proc/\(pid)/statm").split(separator: " ")
            return sum + (fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0)
        }
    }

    /// Writes to sockets and files so far, of the processes of a kind.
    func writes(_ name: String) -> Int {
        pids(name).reduce(0) { sum, pid in
            let line = Self.read("/proc/\(pid)/io").split(separator: "\n").first { $0.hasPrefix("syscw: ") }
            return sum + (line.flatMap { Int($0.dropFirst(7)) } ?? 0)
        }
    }

    private static func time(of pid: Int) -> Int {
        let stat = read("/proc/\(pid)/stat")
        guard let end = stat.lastIndex(of: ")") else { return 0 }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return 0 }
        return (user + system) * (1_000_000_000 / Int(sysconf(Int32(_SC_CLK_TCK))))
    }

    private static func children() -> [Int: [Int]] {
        var children: [Int: [Int]] = [:]
        for pid in all() {
            let stat = read("/proc/\(pid)/stat")
            guard let end = stat.lastIndex(of: ")") else { continue }
            let fields = stat[stat.index(after: end)...].split(separator: " ")
            if fields.count > 1, let parent = Int(fields[1]) { children[parent, default: []].append(pid) }
        }
        return children
    }

    private static func found() -> [(name: String, pids: [Int])] {
        var groups: [String: [Int]] = [:]
        for pid in all() {
            let words = read("/proc/\(pid)/cmdline").split(separator: "\0")
            guard let program = words.first?.split(separator: "/").last else { continue }
            let role = words.count > 1 ? String(words[1]) : ""
            if program.hasPrefix("sparq"), role == "front" || role == "worker" { groups[role, default: []].append(pid) }
            if program.hasPrefix("beam") { groups["broker", default: []].append(pid) }
            if program == "postgres", words.contains("-D") { groups["database", default: []].append(pid) }
        }
        return ["front", "worker", "broker", "database"].compactMap { name in groups[name].map { (name, $0) } }
    }

    private static func all() -> [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int($0) }
    }

    private static func read(_ path: String) -> String {
        guard let data = FileManager.default.contents(atPath: path) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }
}
