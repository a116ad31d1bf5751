package import SparqPostgres

/// The table `workers`: which workers live, and what they have in hand that workers may have died over.
package enum WorkerStore {
    /// A worker's row.
    package struct Row: Sendable {
        /// The worker's name.
        package let worker: String
        /// Seconds since it began.
        package let began: Double
        /// Seconds since its last sign of life.
        package let heard: Double
        /// The suspects that it has, or had, in hand.
        package let suspects: [String]
        /// Seconds since it took them.
        package let taken: Double
    }

    /// Says that a worker lives.
    package static func renew(_ worker: String, lane: String, _ database: PostgresPool) async throws {
        let sql = """
            INSERT INTO workers (worker, pool) VALUES ($1, $2) ON CONFLICT (worker) DO UPDATE SET seen_at = now()
            """
        try await database.execute(sql, worker, lane)
    }

    /// Says that a worker lives, and what it has in hand from now on.
    package static func note(_ suspects: [String], of worker: String, lane: String, _ database: PostgresPool) async throws {
        let sql = """
            INSERT INTO workers (worker, pool, suspects, suspects_at) VALUES ($1, $2, $3, now())
            ON CONFLICT (worker) DO UPDATE SET seen_at = now(), suspects = excluded.suspects, suspects_at = excluded.suspects_at
            """
        try await database.execute(sql, worker, lane, suspects)
    }

    /// Takes suspects off the rows of the dead, but for one worker's own.
    ///
    /// - Parameter seconds: A worker without a sign of life for so long is dead.
    package static func acquit(
        _ suspects: [String],
        lane: String,
        deadAfter seconds: Double,
        except worker: String,
        _ database: PostgresPool
    ) async throws {
        let sql = """
            UPDATE workers w SET suspects = ARRAY(SELECT unnest(w.suspects) EXCEPT SELECT unnest($2::text[]))
            WHERE w.worker IN (
                SELECT d.worker FROM workers d
                WHERE d.pool = $1 AND d.worker <> $4 AND d.suspects && $2::text[] AND d.seen_at < now() - make_interval(secs => $3)
                ORDER BY d.worker FOR UPDATE
            )
            """
        try await database.execute(sql, lane, suspects, seconds, worker)
    }

    /// The workers of a lane, the latest first.
    package static func all(lane: String, limit: Int, _ database: PostgresPool) async throws -> [Row] {
        let sql = """
            SELECT worker, extract(epoch FROM now() - started_at)::float8, extract(epoch FROM now() - seen_at)::float8,
                suspects, coalesce(extract(epoch FROM now() - suspects_at)::float8, 0)
            FROM workers WHERE pool = $1 ORDER BY seen_at DESC LIMIT $2
            """
        return try await database.query(sql, lane, limit).map { row in
            let (worker, began, heard, suspects, taken) = try row.decode(String.self, Double.self, Double.self, [String].self, Double.self)
            return Row(worker: worker, began: began, heard: heard, suspects: suspects, taken: taken)
        }
    }

    /// Removes a worker that ends in order.
    package static func remove(_ worker: String, _ database: PostgresPool) async throws {
        try await database.execute("DELETE FROM workers WHERE worker = $1", worker)
    }

    /// Removes workers without a sign of life for so many seconds.
    package static func forget(after seconds: Double, _ database: PostgresPool) async throws {
        let sql = """
            DELETE FROM workers WHERE worker IN (
                SELECT worker FROM workers WHERE seen_at < now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED
            )
            """
        try await database.execute(sql, seconds)
    }
}
