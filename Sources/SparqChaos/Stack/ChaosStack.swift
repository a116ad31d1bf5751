import Foundation
import PlainHTTP

/// Servers of its own, fronts and workers as real processes. Each front keeps its port over all its lives.
actor ChaosStack {
    struct Layout: Sendable {
        var root: URL
        var folder: URL
        var binary: String
        var fronts: Int
        var workers: Int
        var logLevel = "info"
        /// More settings for every front and worker.
        var settings: [String: String] = [:]
    }

    enum Role: String, Sendable { case front, worker }

    nonisolated let layout: Layout
    nonisolated let servers: Servers
    private(set) var postgresURL = ""
    private var settings: [String: String] = [:]
    private var ports: [Int] = []
    private var processes: [String: RunningProcess] = [:]
    /// What stands between the processes and each server.
    private(set) var middleboxes: [Servers.Server: Middlebox] = [:]

    init(layout: Layout) {
        self.layout = layout
        servers = Servers(root: layout.root, folder: layout.folder.appendingPathComponent("services"))
    }

    private var run: URL { layout.folder.appendingPathComponent("run") }

    // MARK: The whole

    func start() async throws {
        guard FileManager.default.isExecutableFile(atPath: layout.binary) else { throw ChaosError("no binary at \(layout.binary)") }
        try await servers.clean()
        try? FileManager.default.removeItem(at: run)
        try FileManager.default.createDirectory(at: run, withIntermediateDirectories: true)
        settings = try await servers.start()
        postgresURL = settings["SPARQ_POSTGRES_URL"] ?? ""
        for (server, key) in [(Servers.Server.rabbitmq, "SPARQ_AMQP_URL"), (.postgres, "SPARQ_POSTGRES_URL")] {
            guard var url = settings[key].flatMap({ URLComponents(string: $0) }), let port = url.port else {
                throw ChaosError("no port in \(key)")
            }
            let middlebox = try await Middlebox.open(to: port)
            url.port = middlebox.port
            settings[key] = url.string
            middleboxes[server] = middlebox
        }
        settings["SPARQ_JWT_SECRET"] = (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
        settings["SPARQ_MIGRATIONS"] = layout.root.appendingPathComponent("db/migrations").path
        settings["SPARQ_WEB_ROOT"] = layout.root.appendingPathComponent("web").path
        settings["SPARQ_LOG_LEVEL"] = layout.logLevel
        settings["SPARQ_DRAIN_WINDOW_MS"] = "1000"
        settings.merge(layout.settings) { $1 }
        for worker in 0..<layout.workers { try launch(.worker, worker) }
        for front in 0..<layout.fronts {
            ports.append(0)
            try await startFront(front)
        }
        for worker in 0..<layout.workers { try await awaitReady(.worker, worker, within: .seconds(90)) }
        for front in 0..<layout.fronts { try await awaitReady(.front, front, within: .seconds(90)) }
        try await servers.awaitQuorumQueues()
    }

    /// Ends every process and removes the servers; what they logged stays.
    func stop() async {
        for process in processes.values {
            process.signal(SIGCONT)
            process.signal(SIGTERM)
        }
        for process in processes.values { await process.end(within: .seconds(15)) }
        for middlebox in middleboxes.values { await middlebox.close() }
        try? await servers.clean()
    }

    var socketURLs: [String] { ports.map { "ws://127.0.0.1:\($0)/ws" } }
    var messageURLs: [String] { ports.map { "http://127.0.0.1:\($0)/v1/messages" } }

    // MARK: One process

    func name(_ role: Role, _ index: Int) -> String { "\(role.rawValue)-\(index + 1)" }
    func process(_ role: Role, _ index: Int) -> RunningProcess? { processes[name(role, index)] }

    func signal(_ role: Role, _ index: Int, _ number: Int32) { process(role, index)?.signal(number) }

    /// SIGKILL, and waits until it is gone.
    func kill(_ role: Role, _ index: Int) async {
        signal(role, index, SIGKILL)
        await process(role, index)?.end(within: .seconds(10))
    }

    /// SIGTERM, and waits for the orderly end.
    func terminate(_ role: Role, _ index: Int) async throws {
        let process = process(role, index)
        process?.signal(SIGTERM)
        let status = await process?.end(within: .seconds(40)) ?? 0
        guard status == 0 else { throw ChaosError("\(name(role, index)) ended with \(status) on SIGTERM") }
    }

    func start(_ role: Role, _ index: Int) async throws {
        switch role {
        case .front: try await startFront(index)
        case .worker: try launch(.worker, index)
        }
    }

    func changeSettings(_ more: [String: String]) { settings.merge(more) { $1 } }

    /// Whether a process that nobody stopped is gone.
    func crashed(_ role: Role, _ index: Int) -> Int32? { process(role, index)?.status }

    func awaitReady(_ role: Role, _ index: Int, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        let name = name(role, index)
        while true {
            if let status = processes[name]?.status { throw ChaosError("\(name) ended with \(status); its log is \(run.path)/\(name).log") }
            if await isReady(role, index) { return }
            guard ContinuousClock.now < deadline else { throw ChaosError("\(name) is not ready after \(limit)") }
            await pause(.milliseconds(50))
        }
    }

    func isReady(_ role: Role, _ index: Int) async -> Bool {
        switch role {
        case .worker: FileManager.default.fileExists(atPath: readyFile(index))
        case .front:
            (try? await HTTPExchange.request("GET", "http://127.0.0.1:\(ports[index])/readyz", timeout: .seconds(3)).status) == 200
        }
    }

    private func readyFile(_ index: Int) -> String { run.appendingPathComponent("\(name(.worker, index)).ready").path }

    private func startFront(_ index: Int) async throws {
        let portFile = run.appendingPathComponent("front-\(index + 1).port")
        try? FileManager.default.removeItem(at: portFile)
        try launch(.front, index)
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            if let text = try? String(contentsOf: portFile, encoding: .utf8),
                let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                ports[index] = port
                return
            }
            if let status = process(.front, index)?.status { throw ChaosError("front-\(index + 1) ended with \(status)") }
            guard ContinuousClock.now < deadline else { throw ChaosError("front-\(index + 1) has no port after 30 s") }
            await pause(.milliseconds(20))
        }
    }

    private func launch(_ role: Role, _ index: Int) throws {
        let name = name(role, index)
        var own = settings
        switch role {
        case .front:
            own["SPARQ_POSTGRES_URL"] = nil
            own["SPARQ_HTTP_HOST"] = "127.0.0.1"
            own["SPARQ_HTTP_PORT"] = String(ports[index])
            own["SPARQ_PORT_FILE"] = run.appendingPathComponent("\(name).port").path
            own["SPARQ_NODE_ID"] = "chaos-\(name)"
        case .worker:
            try? FileManager.default.removeItem(atPath: readyFile(index))
            own["SPARQ_READY_FILE"] = readyFile(index)
        }
        processes[name] = try RunningProcess(name, executable: layout.binary, arguments: [role.rawValue], environment: own, folder: run)
    }
}
