import Foundation
import Testing

/// A process that gets no more file descriptors.
@Suite(.timeLimit(.minutes(3))) struct DescriptorTests {
    @Test func aWorkerWithoutDescriptorsSaysSoLivesAndRecovers() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            let worker = await stack.workers[0]
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            let soft = try await Command.run("prlimit", ["--pid", "\(worker.pid)", "--nofile", "--noheadings", "--raw", "-o", "SOFT"])
            // Those that are open stay.
            try await limit(worker, "3")
            _ = try await stack.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
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
    /// Sets how many descriptors it may have, as far as it may raise that itself.
    private func limit(_ process: RunningProcess, _ count: String) async throws {
        _ = try await Command.run("prlimit", ["--pid", "\(process.pid)", "--nofile=\(count):"])
    }
}
