import Foundation
import Testing

/// A process that gets no more file descriptors, or as good as none. Without any at all libdispatch may end it (`_dispatch_workq_monitor_pools`).
@Suite(.timeLimit(.minutes(3))) struct DescriptorTests {
    @Test func aWorkerWithoutDescriptorsSaysSoLivesAndRecovers() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            let other = await stack.workers[0]
            let worker = try await stack.startWorker(files: try Self.filesWithoutConnections(like: other))
            for text in ["no file descriptor to spare", "the database is unreachable", "Too many open files (errno 24)"] {
                try await eventually("it says: \(text)") { worker.log.contains(text) }
            }
            // Many attempts.
            try await Task.sleep(for: .seconds(5))
            #expect(worker.isRunning)
            #expect(worker.log.ranges(of: "the database is unreachable").count <= 2, "one line for each of two pools")
            _ = try await Command.run("prlimit", ["--pid", "\(worker.pid)", "--nofile=1024:"])
            try await stack.awaitReady(worker)
            #expect(try await other.stop() == 0)
            try await ann.send("sendMessage", ["text": "hello"], deadline: .seconds(30))
            await ann.leave()
            #expect(try await worker.stop() == 0)
        }
    }

    /// A limit that is enough for what a process of this kind needs for itself. For connections only the last ones are left, which it does not take.
    private static func filesWithoutConnections(like process: RunningProcess) throws -> Int {
        let folder = "/proc/\(process.pid)/fd"
        let own = try FileManager.default.contentsOfDirectory(atPath: folder).count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?.hasPrefix("socket:") == false
        }
        // Four fewer than are left alone (`DescriptorReserve`): some of its own it opens later.
        return own + 12
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
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let front = try await stack.startFront(
                ["SPARQ_LOG_LEVEL": "info"],
                files: try Self.filesWithoutConnections(like: fronts[0].process)
            )
            try await eventually("the log has the cause") { front.process.log.contains("Too many open files (errno 24)") }
            // In this time it tries a dozen times more.
            try await Task.sleep(for: .seconds(8))
            #expect(front.process.isRunning)
            let lines = front.process.log.split(separator: "\n").filter { $0.contains("(errno 24)") }
            #expect(lines.count <= 3, "one line for each of three things that it asks of the broker:\n\(lines.joined(separator: "\n"))")
            #expect(try await front.process.stop() == 0)
        }
    }
}
