import Foundation
import SparqClient
import Testing

/// How processes start: with bad settings, and without their servers.
@Suite(.timeLimit(.minutes(4))) struct StartTests {
    struct Bad: Sendable, CustomTestStringConvertible {
        var command: String
        var setting: String
        var value: String?
        var testDescription: String { "\(command) \(setting)=\(value ?? "(absent)")" }
    }

    static let bad: [Bad] = [
        Bad(command: "front", setting: "SPARQ_AMQP_URL"), Bad(command: "front", setting: "SPARQ_AMQP_URL", value: "http://x"),
        Bad(command: "front", setting: "SPARQ_JWT_SECRET"), Bad(command: "front", setting: "SPARQ_JWT_SECRET", value: "tiny-secret"),
        Bad(command: "front", setting: "SPARQ_HTTP_PORT", value: "80a"), Bad(command: "front", setting: "SPARQ_HTTP_PORT", value: "70000"),
        Bad(command: "front", setting: "SPARQ_DEV_COOKIE", value: "perhaps"),
        Bad(command: "front", setting: "SPARQ_LOG_LEVEL", value: "loud"),
        Bad(command: "front", setting: "SPARQ_DRAIN_WINDOW_MS", value: "soon"),
        Bad(command: "front", setting: "SPARQ_ALLOWED_ORIGINS", value: "https://chat.example/"),
        Bad(command: "front", setting: "SPARQ_ALLOWED_ORIGINS", value: "https://good.example, chat.example"),
        Bad(command: "front", setting: "SPARQ_ALLOWED_ORIGINS", value: "https://*.example"),
        Bad(command: "front", setting: "SPARQ_CONTENT_SECURITY_POLICY", value: "default-src\n'none'"),
        Bad(command: "worker", setting: "SPARQ_AMQP_URL"), Bad(command: "worker", setting: "SPARQ_POSTGRES_URL"),
        Bad(command: "worker", setting: "SPARQ_POSTGRES_URL", value: "mysql://x/y"),
        Bad(command: "worker", setting: "SPARQ_LOG_LEVEL", value: "loud"),
        Bad(command: "front", setting: "SPARQ_LANES", value: "node=room.*"), Bad(command: "worker", setting: "SPARQ_LANE", value: "node"),
    ]

    @Test(arguments: bad)
    func aBadSettingIsNamedAndEndsTheProcess(bad: Bad) async throws {
        let stack = try Stack()
        let folder = stack.folder
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var settings = bad.command == "front" ? await stack.frontSettings : await stack.workerSettings
        settings[bad.setting] = bad.value
        let process = try await stack.launch(bad.command, [bad.command], settings)
        let status = try? await process.end(within: .seconds(20))
        if status == nil { try await process.killNow() }
        #expect(status != nil && status != 0 && (status ?? 0) < 128, "status \(status ?? -1): \(process.log)")
        #expect(process.log.contains(bad.setting), "\(process.log)")
        if let value = bad.value, bad.setting == "SPARQ_JWT_SECRET" { #expect(!process.log.contains(value), "the secret is in the log") }
    }

    /// The old name counts, the log says the new one, and so does what is wrong with it.
    @Test(arguments: [("front", "SPARQ_POOLS", "node=room.*", "SPARQ_LANES"), ("worker", "SPARQ_POOL", "node", "SPARQ_LANE")])
    func aSettingGoesByItsOldNameToo(command: String, old: String, value: String, new: String) async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let settings = command == "front" ? await stack.frontSettings : await stack.workerSettings
            let process = try await stack.launch(command, [command], settings.merging([old: value]) { $1 })
            #expect(try await process.end(within: .seconds(20)) != 0)
            let lines = process.log.split(separator: "\n")
            #expect(lines.contains { $0.contains("a setting has a new name") && $0.contains(old) && $0.contains(new) }, "\(process.log)")
            #expect(lines.contains { $0.contains("\(new): ") && !$0.contains(old) }, "\(process.log)")
        }
    }

    @Test func aWorkerOfBeforeStartsAndWorksOnANewerDatabase() async throws {
        try await Stack.with(fronts: 1, workers: 1) { stack, fronts in
            _ = try await stack.sql(
                """
                ALTER TABLE inbox ADD COLUMN of_the_future text; CREATE TABLE of_the_future (x int);
                INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, 'the_future', 'x')
                """
            )
            let worker = try await stack.startWorker()
            try await stack.awaitReady(worker)
            #expect(worker.log.contains("migrated by a newer version") && worker.log.contains("9999_the_future"))
            #expect(try await stack.workers[0].stop() == 0)
            let ann = try await Person("ann", registeredAt: fronts[0], fronts: fronts)
            try await ann.send("sendMessage", ["text": "as before"])
            await ann.leave()
        }
    }

    @Test func aWorkerOfBeforeLeavesNewerFunctionsAlone() async throws {
        try await Stack.with(fronts: 0, workers: 1) { stack, _ in
            _ = try await stack.sql(
                """
                COMMENT ON FUNCTION sparq_heads IS 'of the future';
                UPDATE schema_functions SET revision = 9999, checksum = 'x' WHERE name = 'sparq_heads'
                """
            )
            let worker = try await stack.startWorker()
            try await stack.awaitReady(worker)
            #expect(worker.log.contains("functions of a newer version"))
            let comment = try await stack.sql("SELECT obj_description('sparq_heads'::regproc)")
            #expect(comment == "of the future")
            for (verb, line) in [("status", "sparq_heads  newer"), ("up", "the database is newer: its functions are of a later revision")] {
                let command = try await stack.launch("migrate", ["migrate", verb], stack.workerSettings)
                #expect(try await command.end(within: .seconds(30)) == 0 && command.log.contains(line), "\(command.log)")
            }
        }
    }

    @Test func filesOfFunctionsThatDoNotFitEndTheWorkerAndAreNamed() async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let files = stack.folder.appendingPathComponent("db")
            try FileManager.default.copyItem(at: TestEnvironment.root.appendingPathComponent("db"), to: files)
            let file = files.appendingPathComponent("functions/sparq_heads.sql")
            try Data("-- Changed by hand.\n".utf8).write(to: file)
            let settings = await stack.workerSettings.merging(["SPARQ_MIGRATIONS": files.appendingPathComponent("migrations").path]) { $1 }
            let worker = try await stack.launch("worker", ["worker"], settings)
            let status = try? await worker.end(within: .seconds(30))
            if status == nil { try await worker.killNow() }
            #expect(status != nil && status != 0 && (status ?? 0) < 128, "status \(status ?? -1): \(worker.log)")
            #expect(worker.log.contains("REVISION"), "\(worker.log)")
        }
    }

    @Test func withoutBrokerAndDatabaseProcessesWaitAndBecomeReadyLater() async throws {
        try await Stack.with(fronts: 0, workers: 0) { stack, _ in
            let broker = try await Forwarder(to: try TestEnvironment.amqpURL(), defaultPort: 5_672)
            let database = try await Forwarder(to: await stack.postgresURL, defaultPort: 5_432)
            await stack.route(
                amqp: try TestEnvironment.url(await stack.amqpURL, port: broker.port),
                postgres: try TestEnvironment.url(await stack.postgresURL, port: database.port)
            )
            let worker = try await stack.startWorker()
            let front = try await stack.startFront()
            try await eventually("alive") { await front.status("/healthz") == 200 }
            #expect(await front.status("/readyz") == 503)
            try await eventually("the front says what it waits for") {
                front.process.log.contains("127.0.0.1:\(broker.port)") || front.process.log.count > 200
            }
            #expect(front.process.isRunning && worker.isRunning)
            #expect(!(await stack.isReady(worker)))

            try await database.open()
            #expect(await front.status("/readyz") == 503)
            try await broker.open()
            try await stack.awaitReady(worker)
            try await stack.awaitReady(front)
            let ann = try await Person("ann", registeredAt: front, fronts: [front])
            try await ann.send("sendMessage", ["text": "at last"])
            await ann.leave()
            #expect(try await front.process.stop() == 0)
            #expect(try await worker.stop() == 0)
            await broker.close()
            await database.close()
        }
    }
}
