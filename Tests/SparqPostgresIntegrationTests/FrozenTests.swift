import Logging
import SparqPostgres
import Testing

/// Connections that freeze without a word, while new ones work.
@Suite(.timeLimit(.minutes(1))) struct FrozenTests {
    /// Lends a pool that reaches the server by way of a proxy.
    private func withFrozen(
        _ change: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (PostgresPool, FreezingProxy) async throws -> Void
    ) async throws {
        let proxy = try FreezingProxy(to: try Database.port)
        defer { proxy.close() }
        var configuration = try PostgresConfiguration(url: try Database.url(port: proxy.port))
        configuration.applicationName = Database.name("app")
        configuration.silenceLimit = .milliseconds(300)
        configuration.idleCheckInterval = .seconds(60)
        change(&configuration)
        try await Database.withPool(configuration) { try await body($0, proxy) }
    }

    private func pid(_ pool: PostgresPool) async throws -> Int32 { try await pool.query("SELECT pg_backend_pid()")[0].decode(Int32.self) }

    private func isThere(_ pid: Int32) async throws -> Bool {
        try await Database.withPool { try await !$0.query("SELECT FROM pg_stat_activity WHERE pid = $1", pid).isEmpty }
    }

    @Test func aStatementOnAFrozenConnectionIsGivenUpEarlyAndItsSessionEnds() async throws {
        try await withFrozen { pool, proxy in
            let pid = try await pid(pool)
            proxy.freezeThoseThatExist()
            let start = ContinuousClock.now
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.code == .timeout && error?.isOutcomeUnknown == true && error?.cause == .outage)
            #expect(ContinuousClock.now - start < .seconds(8))
            #expect(try await self.pid(pool) != pid)
            #expect(try await !isThere(pid))
        }
    }

    @Test func aLongStatementIsLeftAlone() async throws {
        try await withFrozen { pool, _ in
            let one = try await pool.query("SELECT 1 FROM pg_sleep(2.5)")[0].decode(Int32.self)
            #expect(one == 1)
        }
    }

    @Test func aStatementThatWaitsForALockIsLeftAlone() async throws {
        try await withFrozen { pool, _ in
            try await Database.withPool { other in
                let lock = Int64.random(in: 0..<Int64.max)
                try await other.withConnection { connection in
                    try await connection.query("SELECT pg_advisory_lock($1)", lock)
                    let waiting = Task { try await pool.query("SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) l", lock).count }
                    try await Task.sleep(for: .seconds(2))
                    try await connection.query("SELECT pg_advisory_unlock($1)", lock)
                    #expect(try await waiting.value == 1)
                }
            }
        }
    }

    /// Longer than its silence may last.
    @Test func aFrozenStatementThatIsStillAtWorkIsGivenUpWhenTheServerIsThroughWithIt() async throws {
        try await withFrozen { pool, proxy in
            let start = ContinuousClock.now
            let working = Task { try await pool.query("SELECT pg_sleep(3)") }
            try await Database.withPool { watcher in
                try await eventually("it runs") {
                    try await !watcher.query("SELECT FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(3)'").isEmpty
                }
            }
            proxy.freezeThoseThatExist()
            let error = await #expect(throws: PostgresError.self) { try await working.value }
            #expect(error?.code == .timeout && (Duration.seconds(3)...Duration.seconds(12)).contains(ContinuousClock.now - start))
        }
    }

    @Test func locksOfAFrozenTransactionAreFreeSoon() async throws {
        let table = Database.name()
        try await Database.withPool { other in
            try await other.query("CREATE TABLE \(table) (n int8)")
            try await other.query("INSERT INTO \(table) VALUES (1)")
            try await withFrozen({ $0.idleInTransactionTimeout = .seconds(60) }) { pool, proxy in
                let start = ContinuousClock.now
                let error = await #expect(throws: PostgresError.self) {
                    try await pool.transaction { transaction in
                        try await transaction.query("UPDATE \(table) SET n = 2")
                        proxy.freezeThoseThatExist()
                        try await transaction.query("UPDATE \(table) SET n = 3")
                    }
                }
                #expect(error?.code == .timeout && error?.isOutcomeUnknown == false)
                try await other.query("UPDATE \(table) SET n = n + 10")
                #expect(ContinuousClock.now - start < .seconds(8))
                #expect(try await other.query("SELECT n FROM \(table)")[0].decode(Int.self) == 11)
            }
            try await other.query("DROP TABLE \(table)")
        }
    }

    @Test func anIdleFrozenConnectionIsNoticedByItselfAndTheOthersAreNotTrustedEither() async throws {
        try await withFrozen({ $0.idleCheckInterval = .milliseconds(200) }) { pool, proxy in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 { group.addTask { try await pool.query("SELECT pg_sleep(0.3)") } }
                try await group.waitForAll()
            }
            let before = proxy.accepted
            proxy.freezeThoseThatExist()
            // The look of another, and the one that is kept.
            try await eventually("the pool connects anew") { proxy.accepted >= before + 2 && pool.state == .ready }
            let start = ContinuousClock.now
            for _ in 0..<3 { try await pool.query("SELECT 1") }
            #expect(ContinuousClock.now - start < .seconds(3))
        }
    }

    @Test func theServerLooksAfterOurNetworkUnlessSomebodyHasSetIt() async throws {
        let names = ["tcp_keepalives_idle", "client_connection_check_interval"]
        func settings(_ options: String) async throws -> [String] {
            try await Database.withPool(try PostgresConfiguration(url: try Database.url(options: options))) { pool in
                try await names.asyncMap { try await pool.query("SELECT current_setting($1)", $0)[0].decode(String.self) }
            }
        }
        #expect(try await settings("") == ["5", "2s"])
        #expect(try await settings("-ctcp_keepalives_idle=77 -cclient_connection_check_interval=9s") == ["77", "9s"])
    }

    @Test func aSilentHostDoesNotKeepTheNextFromBeingTried() async throws {
        // Open until the process ends.
        let silent = try FreezingProxy.listen().port
        let url = try Database.url(hosts: [("127.0.0.1", silent), ("127.0.0.1", try Database.port)])
        var configuration = try PostgresConfiguration(url: url)
        configuration.connectTimeout = .seconds(3)
        configuration.poolSize = 2
        try await Database.withPool(configuration) { pool in
            let start = ContinuousClock.now
            let one = try await pool.query("SELECT 1")[0].decode(Int.self)
            #expect(one == 1 && ContinuousClock.now - start < .seconds(8))
            // By now it is known who is silent.
            try await pool.withConnection { first in
                let again = ContinuousClock.now
                try await pool.query("SELECT 1")
                #expect(ContinuousClock.now - again < .seconds(2))
                try await first.query("SELECT 1")
            }
        }
    }

    @Test func aServerThatMayOnlyReadIsPassedOver() async throws {
        let port = try Database.port
        let url = try Database.url(hosts: [("127.0.0.1", port), ("127.0.0.1", port)], query: "target_session_attrs=read-only")
        var configuration = try PostgresConfiguration(url: url)
        configuration.acquireTimeout = .milliseconds(500)
        try await Database.withPool(configuration) { pool in
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.message.contains("read-only") == true)
        }
        let wanted = url.replacing("read-only", with: "read-write")
        let one = try await Database.withPool(try PostgresConfiguration(url: wanted)) { try await $0.query("SELECT 1")[0].decode(Int.self) }
        #expect(one == 1)
    }
}

extension Sequence {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
