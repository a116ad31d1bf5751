import SparqPostgres

/// Holds a topic's row, so that a commit to it stands still for as long as a scenario wants.
struct TopicLock: Sendable {
    let pool: PostgresPool
    let topic: String

    /// Runs `body` while commits to the topic wait.
    func hold<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await pool.transaction(attempts: 1) { transaction in
            _ = try await transaction.run(Statement("SELECT seq FROM topics WHERE topic = $1 FOR UPDATE", topic))
            return try await body()
        }
    }

    /// Waits until a worker's commit stands still.
    func awaitWaiting() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while try await waiting("count(*)") == 0 {
            guard ContinuousClock.now < deadline else { throw ChaosError("no commit waits for the lock of \(topic)") }
            await pause(.milliseconds(20))
        }
    }

    /// Ends the commits that wait: their worker is dead, and PostgreSQL would carry them out all the same.
    func endWaiting() async throws {
        _ = try await waiting("count(*) FILTER (WHERE pg_terminate_backend(pid))")
        let deadline = ContinuousClock.now + .seconds(10)
        while try await waiting("count(*)") > 0, ContinuousClock.now < deadline { await pause(.milliseconds(20)) }
    }

    private func waiting(_ what: String) async throws -> Int {
        let sql = "SELECT \(what) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name <> 'sparq-chaos'"
        return try await pool.run(Statement(sql)).first?.decode(Int.self) ?? 0
    }
}
