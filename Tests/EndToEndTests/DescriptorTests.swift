import Foundation
import Testing

/// A process that gets no more file descriptors, or as good as none. Without any at all libdispatch may end it (`_dispatch_workq_monitor_pools`).
@Suite(.timeLimit(.minutes(3))) struct DescriptorTests {
    @Test func aWorkerWithoutDescriptorsSaysSoLivesAndRecovers() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let worker = await stack.workers[0]
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            let soft = try await Command.run("prlimit", ["--pid", "\(worker.pid)", "--nofile", "--noheadings", "--raw", "-o", "SOFT"])
            // It sleeps, and the database ends its sessions; when it wakes, what these give back is among the last ones, which it leaves to others.
            worker.signal(SIGSTOP)
            try await limit(worker, "\(try Self.lowestToHave(worker) + 16)")
            _ = try await stack.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            worker.signal(SIGCONT)
            try await eventually("it says so") { worker.log.contains("descriptor") && worker.log.contains("the database is unreachable") }
            // Many attempts.
            try await Task.sleep(for: .seconds(5))
            #expect(worker.isRunning)
            #expect(worker.log.ranges(of: "the database is unreachable").count <= 2, "one line for each of two pools")
            try await limit(worker, soft.trimmingCharacters(in: .whitespacesAndNewlines))
            try await ann.send("sendMessage", ["text": "hello"], deadline: .seconds(30))
            await ann.leave()
            #expect(try await worker.stop() == 0)
        }
    }

    /// The lowest descriptor that a new connection may get: one that is free, or one that a socket gives back.
    private static func lowestToHave(_ process: RunningProcess) throws -> Int {
        let folder = "/proc/\(process.pid)/fd"
        let kept = try FileManager.default.contentsOfDirectory(atPath: folder).filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix("socket:") == false
        }.compactMap { Int($0) }
        return try #require((3...).first { !kept.contains($0) })
    }

    /// How many of its connections to a port the other side has not ended, as the kernel sees it.
    private static func connections(of process: RunningProcess, to port: Int) throws -> Int {
        let folder = "/proc/\(process.pid)/fd"
        let sockets = try FileManager.default.contentsOfDirectory(atPath: folder).compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        let peer = ":" + String(format: "%04X", port)
        return try ["tcp", "tcp6"].map { table in
            // `String(contentsOfFile:)` reads a page of it at most.
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/\(process.pid)/net/\(table)"))
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n").count { line in
                let fields = line.split(separator: " ")
                // Remote address, state, inode; 01 is ESTABLISHED.
                return fields.count > 9 && fields[2].hasSuffix(peer) && fields[3] == "01" && sockets.contains("socket:[\(fields[9])]")
            }
        }.reduce(0, +)
    }

    @Test func aFrontThatMayOpenFewFilesTakesFewerSocketsAndSaysSo() async throws {
        try await Stack.with(fronts: 0, workers: 1) { stack, _ in
            // Hard as well: it raises the soft one itself.
            let front = try await stack.startFront(files: 256)
            try await stack.awaitReady(front)
            let lines = front.process.log.split(separator: "\n").filter { $0.contains("takes fewer sockets") }
            #expect(lines.count == 1 && lines.first?.contains("sockets=192") == true, "\(lines)")
            let roomy = try await stack.startFront(["SPARQ_CONNECTIONS": "192"], files: 256)
            #expect(!roomy.process.log.contains("takes fewer sockets"))
        }
    }

    @Test func aFrontWithoutDescriptorsWaitsForThemAndSaysSoOnce() async throws {
        try await Stack.with(fronts: 0, workers: 1) { stack, _ in
            await stack.route(amqp: "\(try TestEnvironment.amqpURL())?heartbeat=1")
            let front = try await stack.startFront(["SPARQ_LOG_LEVEL": "info"])
            try await stack.awaitReady(front)
            // It sleeps, and the broker ends its connections; when it wakes it gets no descriptors for new ones.
            front.process.signal(SIGSTOP)
            // What its connections give back is among the last ones, which it leaves to others.
            try await limit(front.process, "\(try Self.lowestToHave(front.process) + 16)")
            let broker = URLComponents(string: try TestEnvironment.amqpURL())?.port ?? 5672
            #expect(try Self.connections(of: front.process, to: broker) > 0)
            try await eventually("the broker has ended its connections") { try Self.connections(of: front.process, to: broker) == 0 }
            front.process.signal(SIGCONT)
            try await eventually("the log has the cause for each of two connections") {
                front.process.log.ranges(of: "Too many open files (errno 24)").count == 2
            }
            // In this time it tries a dozen times more.
            try await Task.sleep(for: .seconds(8))
            let lines = front.process.log.split(separator: "\n").filter { $0.contains("no connection to the broker") }
            // How each was lost, and why it does not come back.
            #expect(lines.count == 4, "\(lines.joined(separator: "\n"))")
            #expect(lines.count { $0.contains("(errno 24)") } == 2)
            try await limit(front.process, "1024")
            try await stack.awaitReady(front)
            #expect(try await front.process.stop() == 0)
        }
    }

    /// Sets how many descriptors it may have, as far as it may raise that itself.
    private func limit(_ process: RunningProcess, _ count: String) async throws {
        _ = try await Command.run("prlimit", ["--pid", "\(process.pid)", "--nofile=\(count):"])
    }
}
