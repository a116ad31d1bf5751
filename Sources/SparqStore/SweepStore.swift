package import SparqPostgres

/// The removal of old rows, and the table `sweeps`: how far it has come.
package enum SweepStore {
    /// A table under retention.
    package enum Table: String, Sendable {
        case events, inbox
    }

    /// Where a sweep begins.
    package struct Beginning: Sendable {
        /// Older rows are gone.
        package let reached: PostgresTimestamp
        /// Where in the table the search for late rows goes on.
        package let block: Int
        /// What is older is too old.
        package let before: PostgresTimestamp
    }

    /// Where a sweep begins, and what is too old for it. A place in the future is that of a clock which went wrong: it begins anew.
    package static func beginning(_ table: Table, age seconds: Double, _ database: PostgresPool) async throws -> Beginning? {
        let sql = """
            SELECT CASE WHEN reached > now() THEN '-infinity' ELSE reached END, block, now() - make_interval(secs => $2)
            FROM sweeps WHERE swept = $1
            """
        return try await database.query(sql, table.rawValue, seconds).first.map { row in
            let (reached, block, before) = try row.decode(PostgresTimestamp.self, Int.self, PostgresTimestamp.self)
            return Beginning(reached: reached, block: block, before: before)
        }
    }

    /// Notes how far a sweep has come.
    package static func note(_ table: Table, reached: PostgresTimestamp, block: Int, _ database: PostgresPool) async throws {
        try await database.execute("UPDATE sweeps SET reached = $2, block = $3 WHERE swept = $1", table.rawValue, reached, block)
    }

    /// Calls `sparq_sweep_events` or `sparq_sweep_inbox`: removes the oldest rows between two times.
    ///
    /// - Returns: How many went, and from where the next piece looks; `nil` if another worker is at it.
    package static func sweep(
        _ table: Table,
        from: PostgresTimestamp,
        before: PostgresTimestamp,
        limit: Int,
        _ database: PostgresPool
    ) async throws -> (removed: Int, reached: PostgresTimestamp)? {
        let statement = Statement("SELECT removed, reached FROM sparq_sweep_\(table.rawValue)($1, $2, $3)", from, before, limit)
        guard let piece = try await piece(statement, PostgresTimestamp.self, database) else { return nil }
        return (piece.removed, piece.place)
    }

    /// Calls `sparq_patrol_events` or `sparq_patrol_inbox`: removes old rows from a stretch of the table's blocks.
    ///
    /// - Returns: How many went, and at which block the next search begins; `nil` if another worker is at it.
    package static func patrol(
        _ table: Table,
        block: Int,
        blocks: Int,
        before: PostgresTimestamp,
        limit: Int,
        _ database: PostgresPool
    ) async throws -> (removed: Int, next: Int)? {
        let statement = Statement("SELECT removed, next FROM sparq_patrol_\(table.rawValue)($1, $2, $3, $4)", block, blocks, before, limit)
        guard let piece = try await piece(statement, Int.self, database) else { return nil }
        return (piece.removed, piece.place)
    }

    /// One statement, and so its own transaction: what it locks is not held for the length of a round trip, nor by a worker that was stopped.
    /// The lock of the sweep is the transaction's too, and cannot be left behind.
    private static func piece<Place: PostgresDecodable>(_ statement: Statement, _: Place.Type, _ database: PostgresPool) async throws
        -> (removed: Int, place: Place)?
    {
        guard let row = try await database.run(statement).first else { return nil }
        let (removed, place) = try row.decode(Int?.self, Place?.self)
        guard let removed, let place else { return nil }
        return (removed, place)
    }
}
