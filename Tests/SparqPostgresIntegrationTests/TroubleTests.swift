import Logging
import SparqPostgres
import ServiceLifecycle
import Testing

/// Timeouts, cancellation, and connections that the server ends.
@Suite struct TroubleTests {
    private func small(_ size: Int = 1) throws -> PostgresConfiguration {
        var configuration = try Database.configuration()
        configuration.poolSize = size
        configuration.applicationName = Database.name("app")
        return configuration
    }

    private func isRunning(_ application: String, _ pool: PostgresPool) async throws -> Bool {
        try await !pool.query(
            "SELECT FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query LIKE '%pg_sleep%'",
            application
        ).isEmpty
    }

    @Test func aSlowStatementIsEndedByTheServer() async throws {
        var configuration = try small()
        configuration.statementTimeout = .milliseconds(100)
        try await Database.withPool(configuration) { pool in
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(10)") }
            #expect(error?.isStatementTimeout == true)
            let one = try await pool.query("SELECT 1")[0].decode(Int.self)
            #expect(one == 1)
        }
    }

    @Test func cancellingATaskFreesItsConnectionAndStopsTheServer() async throws {
        let configuration = try small()
        try await Database.withPool { watcher in
            try await Database.withPool(configuration) { pool in
                let task = Task { try await pool.query("SELECT pg_sleep(60)") }
                try await eventually("the statement runs") { try await isRunning(configuration.applicationName, watcher) }
                let start = ContinuousClock.now
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                let one = try await pool.query("SELECT 1")[0].decode(Int.self)
                #expect(one == 1 && ContinuousClock.now - start < .seconds(2))
                try await eventually("the server stops") { try await !isRunning(configuration.applicationName, watcher) }
            }
        }
    }

    @Test func waitingForAConnectionHasALimitAndCanBeCancelled() async throws {
        var configuration = try small()
        configuration.acquireTimeout = .milliseconds(200)
        try await Database.withPool(configuration) { pool in
            try await pool.withConnection { held in
                let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
                #expect(error?.code == .poolTimeout && error?.cause == .crowd)
                let task = Task { try await pool.query("SELECT 1") }
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await held.query("SELECT 1")
            }
            let one = try await pool.query("SELECT 1")[0].decode(Int.self)
            #expect(one == 1)
        }
    }

    @Test func aSessionEndedInTheMiddleIsReportedAndReplaced() async throws {
        let configuration = try small()
        try await Database.withPool { watcher in
            try await Database.withPool(configuration) { pool in
                let task = Task { try await pool.query("SELECT pg_sleep(60)") }
                try await eventually("the statement runs") { try await isRunning(configuration.applicationName, watcher) }
                try await watcher.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
                    configuration.applicationName
                )
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                #expect(error?.code == .connectionLost && error?.isOutcomeUnknown == true && error?.cause == .outage)
                let one = try await pool.query("SELECT 1")[0].decode(Int.self)
                #expect(one == 1)
            }
        }
    }

    @Test func aSessionEndedInATransactionCertainlyDidNothing() async throws {
        let configuration = try small()
        try await Database.withPool { watcher in
            try await Database.withPool(configuration) { pool in
                let runs = Counter()
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.transaction { transaction in
                        runs.add()
                        let pid = try await transaction.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                        try await watcher.query("SELECT pg_terminate_backend($1, 5000)", pid)
                        try await transaction.query("SELECT 1")
                    }
                }
                #expect(error?.code == .connectionLost && error?.isOutcomeUnknown == false && runs.value == 1)
            }
        }
    }

    /// Its locks must not be others' trouble; its owner is told what it did, whether it goes on or wants to commit.
    @Test(arguments: [false, true]) func aTransactionThatStandsStillLosesItsSession(goesOn: Bool) async throws {
        var configuration = try small()
        configuration.idleInTransactionTimeout = .milliseconds(50)
        try await Database.withPool { watcher in
            try await Database.withPool(configuration) { pool in
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.transaction { transaction in
                        let pid = try await transaction.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                        try await eventually("the server ends it") {
                            try await watcher.query("SELECT FROM pg_stat_activity WHERE pid = $1", pid).isEmpty
                        }
                        if goesOn { try await transaction.query("SELECT 1") }
                    }
                }
                #expect(error?.isIdleTimeout == true && error?.cause != .outage && error?.isOutcomeUnknown == false)
                let one = try await pool.query("SELECT 1")[0].decode(Int.self)
                #expect(one == 1)
            }
        }
    }

    @Test func anIdleSessionThatEndsIsNoticedByItself() async throws {
        let configuration = try small()
        try await Database.withPool { watcher in
            try await Database.withPool(configuration) { pool in
                for _ in 0..<5 {
                    let pid = try await pool.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                    try await watcher.query("SELECT pg_terminate_backend($1, 5000)", pid)
                    let next = try await pool.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
                    #expect(next != pid)
                }
            }
        }
    }

    @Test func aConnectionLeftInATransactionIsNotUsedAgain() async throws {
        try await Database.withPool(try small()) { pool in
            let first = try await pool.withConnection { connection in
                try await connection.query("BEGIN")
                return try await connection.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
            }
            let second = try await pool.query("SELECT pg_backend_pid()")[0].decode(Int32.self)
            #expect(first != second)
        }
    }

    @Test func shuttingDownWaitsForThoseWhoWork() async throws {
        let configuration = try small(2)
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "test"))
        let group = ServiceGroup(configuration: .init(services: [pool], logger: Logger(label: "test")))
        let running = Task { try await group.run() }
        let slow = Task { try await pool.query("SELECT 1 FROM pg_sleep(0.5)")[0].decode(Int32.self) }
        try await Database.withPool { watcher in
            try await eventually("the statement runs") { try await isRunning(configuration.applicationName, watcher) }
        }
        await group.triggerGracefulShutdown()
        try await running.value
        let one = try await slow.value
        #expect(one == 1 && pool.state == .closed)
        let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(error?.code == .poolClosed)
    }

    /// Those that are open work: that is a crowd, and no outage.
    @Test func whereTheServerTakesNoMoreConnectionsThoseThatAreOpenAreInUse() async throws {
        let role = Database.name("few")
        try await Database.withPool { admin in
            try await admin.withConnection { try await $0.script("CREATE ROLE \(role) LOGIN PASSWORD 'secret' CONNECTION LIMIT 1") }
            let url = try Database.url(port: Database.port).replacing(#/\/\/.*@/#, with: "//\(role):secret@")
            var configuration = try PostgresConfiguration(url: url)
            configuration.poolSize = 2
            configuration.acquireTimeout = .milliseconds(500)
            let error = try await Database.withPool(configuration) { pool in
                try await pool.withConnection { held in
                    let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
                    _ = try await held.query("SELECT 1")
                    return error
                }
            }
            try await admin.withConnection { try await $0.script("DROP ROLE \(role)") }
            #expect(error?.code == .poolTimeout && error?.cause == .crowd)
        }
    }
}
