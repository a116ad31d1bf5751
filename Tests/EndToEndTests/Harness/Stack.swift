import Foundation
import SparqClient
import Testing

/// Fronts and workers as real processes, with a database and broker names of their own.
actor Stack {
    static let secret = "a secret for tests that is long enough 0123456789"
    static let drainWindowMilliseconds = 500

    let prefix: String
    let database: String
    let folder: URL
    /// What the processes connect to; a test may lead them through a forwarder.
    var amqpURL: String
    var postgresURL: String
    private let adminURL: String
    private var processes: [RunningProcess] = []
    private var count = 0
    /// The workers that `with` started.
    private(set) var workers: [RunningProcess] = []

    init() throws {
        prefix = TestEnvironment.random("t")
        database = TestEnvironment.random("sparq_test_")
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("sparq-e2e-\(prefix)")
        amqpURL = try TestEnvironment.amqpURL()
        adminURL = try TestEnvironment.postgresURL()
        postgresURL = try TestEnvironment.url(adminURL, path: "/\(database)")
    }

    /// Runs `body` with a stack, shows the processes' logs where it fails, and cleans up in any case.
    static func with(
        fronts: Int = 2,
        workers: Int = 2,
        front settings: [String: String] = [:],
        worker workerSettings: [String: String] = [:],
        _ body: (Stack, [Front]) async throws -> Void
    ) async throws {
        await StackGate.shared.enter()
        let stack: Stack
        do {
            stack = try Stack()
            try await stack.createDatabase()
        } catch {
            await StackGate.shared.leave()
            throw error
        }
        do {
            // Workers first: the first of them lays the topology and applies the migrations.
            let starting = try await stack.startWorkers(workers, workerSettings)
            var running: [Front] = []
            for _ in 0..<fronts { running.append(try await stack.startFront(settings)) }
            for worker in starting { try await stack.awaitReady(worker) }
            for front in running { try await stack.awaitReady(front) }
            try await body(stack, running)
        } catch {
            Issue.record("\(error)\n\(await stack.logs())")
        }
        await stack.end()
        await StackGate.shared.leave()
    }

    private func createDatabase() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        _ = try await Command.sql("CREATE DATABASE \(database)", at: adminURL)
    }

    func sql(_ statement: String) async throws -> String {
        try await Command.sql(statement, at: try TestEnvironment.url(adminURL, path: "/\(database)"))
    }

    func route(amqp: String? = nil, postgres: String? = nil) {
        if let amqp { amqpURL = amqp }
        if let postgres { postgresURL = postgres }
    }

    // MARK: Processes

    /// - Parameter files: How many files it may open, where that is not as many as the test may: a limit, a colon, and the one up to which it may
    ///   raise that.
    func launch(_ name: String, _ arguments: [String], _ settings: [String: String], files: String? = nil) throws -> RunningProcess {
        let binary = try TestEnvironment.binary()
        let process = try RunningProcess(
            name,
            executable: files == nil ? binary : "prlimit",
            arguments: (files.map { ["--nofile=\($0)", binary] } ?? []) + arguments,
            environment: settings,
            folder: folder
        )
        processes.append(process)
        return process
    }

    var frontSettings: [String: String] {
        [
            "SPARQ_AMQP_URL": amqpURL, "SPARQ_HTTP_HOST": "127.0.0.1", "SPARQ_HTTP_PORT": "0", "SPARQ_JWT_SECRET": Self.secret,
            "SPARQ_WEB_ROOT": TestEnvironment.root.appendingPathComponent("web").path, "SPARQ_PREFIX": prefix, "SPARQ_LOG_LEVEL": "debug",
            "SPARQ_DRAIN_WINDOW_MS": String(Self.drainWindowMilliseconds),
        ]
    }

    var workerSettings: [String: String] {
        [
            "SPARQ_AMQP_URL": amqpURL, "SPARQ_POSTGRES_URL": postgresURL, "SPARQ_PREFIX": prefix, "SPARQ_LOG_LEVEL": "debug",
            "SPARQ_JWT_SECRET": Self.secret, "SPARQ_MIGRATIONS": TestEnvironment.root.appendingPathComponent("db/migrations").path,
        ]
    }

    /// Starts a front and waits until it listens; it need not be ready.
    func startFront(_ settings: [String: String] = [:], files: Int? = nil) async throws -> Front {
        count += 1
        let id = "\(prefix)f\(count)"
        let portFile = folder.appendingPathComponent("\(id).port")
        let own = ["SPARQ_NODE_ID": id, "SPARQ_PORT_FILE": portFile.path]
        let process = try launch(
            "front-\(count)",
            ["front"],
            frontSettings.merging(own) { $1 }.merging(settings) { $1 },
            files: files.map { "\($0):\($0)" }
        )
        let port = try await eventually("front wrote its port") {
            guard process.isRunning else { throw TimedOut(description: "front ended with \(process.status ?? -1)") }
            return (try? String(contentsOf: portFile, encoding: .utf8)).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        return Front(process: process, id: id, port: port)
    }

    func startWorker(_ settings: [String: String] = [:], files: Int? = nil) throws -> RunningProcess {
        count += 1
        let ready = ["SPARQ_READY_FILE": readyFile("worker-\(count)").path]
        return try launch(
            "worker-\(count)",
            ["worker"],
            workerSettings.merging(ready) { $1 }.merging(settings) { $1 },
            files: files.map { "\($0):" }
        )
    }

    private func startWorkers(_ count: Int, _ settings: [String: String]) throws -> [RunningProcess] {
        for _ in 0..<count { workers.append(try startWorker(settings)) }
        return workers
    }

    private func readyFile(_ name: String) -> URL { folder.appendingPathComponent("\(name).ready") }

    func isReady(_ worker: RunningProcess) -> Bool { FileManager.default.fileExists(atPath: readyFile(worker.name).path) }

    func awaitReady(_ worker: RunningProcess) async throws {
        try await eventually("\(worker.name) consumes", within: .seconds(60)) {
            guard worker.isRunning else { throw TimedOut(description: "\(worker.name) ended with \(worker.status ?? -1)") }
            return isReady(worker)
        }
    }

    func awaitReady(_ front: Front) async throws {
        try await eventually("\(front.process.name) is ready", within: .seconds(60)) {
            guard front.process.isRunning else {
                throw TimedOut(description: "\(front.process.name) ended with \(front.process.status ?? -1)")
            }
            return await front.status("/readyz") == 200
        }
    }

    // MARK: Afterwards

    func logs() -> String {
        processes.map { "=== \($0.name), status \($0.status.map(String.init) ?? "running")\n\($0.log.suffix(6_000))" }.joined(
            separator: "\n"
        )
    }

    private func end() async {
        for process in processes {
            process.signal(SIGCONT)
            process.signal(SIGTERM)
        }
        for process in processes where (try? await process.end(within: .seconds(40))) == nil {
            Issue.record("\(process.name) did not end on SIGTERM:\n\(process.log.suffix(3_000))")
            try? await process.killNow()
        }
        _ = try? await Command.sql("DROP DATABASE IF EXISTS \(database) WITH (FORCE)", at: adminURL)
        try? FileManager.default.removeItem(at: folder)
    }
}

extension Sequence {
    func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
