import Logging
import SparqPostgres
import Synchronization
import Testing

/// A server that goes and comes back.
@Suite struct RestartTests {
    @Test func aPoolOutlivesItsServer() async throws {
        try await PrivateServer.with { try await stopAndStart($0) }
    }

    private func stopAndStart(_ server: PrivateServer) async throws {
        var configuration = try PostgresConfiguration(url: server.url)
        configuration.acquireTimeout = .milliseconds(300)
        let states = Mutex<[PostgresPoolState]>([])
        let pool = PostgresPool(configuration: configuration, logger: Logger(label: "test")) { state in
            states.withLock { $0.append(state) }
        }
        let running = Task { try await pool.run() }

        // Absent at the start.
        let absent = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(absent?.code == .poolTimeout)
        #expect(pool.state == .unavailable)

        try await server.start()
        try await eventually("the server is found") { pool.state == .ready }
        try await pool.query("CREATE TABLE t (n int8)")

        for mode in ["fast", "immediate"] {
            try await server.stop(mode)
            try await eventually("the loss is noticed") { pool.state == .unavailable }
            let gone = await #expect(throws: PostgresError.self) { try await pool.query("INSERT INTO t VALUES (1)") }
            #expect(gone?.cause == .outage)
            try await server.start()
            try await eventually("the server is found again") { pool.state == .ready }
            try await pool.query("INSERT INTO t VALUES (2)")
        }
        let numbers = try await pool.query("SELECT n FROM t").map { try $0.decode(Int.self) }
        #expect(numbers == [2, 2])

        running.cancel()
        try await running.value
        #expect(states.withLock { $0 } == [.unavailable, .ready, .unavailable, .ready, .unavailable, .ready, .closed])
    }
}
