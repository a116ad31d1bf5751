package import SparqPostgres

/// Nodes that are dead, and the table `losses`: rows of nodes that were removed from the directory, and what is still to be said of it.
package enum LossStore {
    /// A row of `losses`.
    package struct Row: Sendable {
        /// Its number: a node can be lost more than once.
        package let number: Int
        /// The node.
        package let node: String
        /// Whose presence may have changed by it.
        package let users: [String]

        fileprivate init(_ row: PostgresRow) throws(PostgresError) {
            (number, node, users) = try row.decode(Int.self, String.self, [String].self)
        }
    }

    // MARK: Removing from the directory

    /// Removes one node whose lease ran out, with its rows of the directory; `nil` if there is none.
    ///
    /// All of it is one statement: what it locks is held for the rest of the transaction alone.
    ///
    /// - Parameter nodes: These stay.
    package static func removeDeadNode(except nodes: [String], _ transaction: PostgresTransaction) async throws -> Row? {
        let sql = """
            WITH lost AS (
                DELETE FROM nodes WHERE node = (
                    SELECT n.node FROM nodes n WHERE n.expires_at < now() AND n.node <> ALL ($1)
                    ORDER BY n.expires_at LIMIT 1 FOR UPDATE SKIP LOCKED
                ) RETURNING node
            ), gone AS (
                DELETE FROM directory d USING lost WHERE d.node = lost.node RETURNING d.topic
            )
            INSERT INTO losses (node, users)
            SELECT node, ARRAY(SELECT substr(topic, 6) FROM gone WHERE topic LIKE 'user:%') FROM lost
            RETURNING loss, node, users
            """
        return try await transaction.query(sql, nodes).first.map { row in try Row(row) }
    }

    /// Removes the directory's rows of nodes that are not there at all.
    ///
    /// The distinct nodes are found by jumping along the index. One statement, and so one look: what a node joins meanwhile is not seen. It waits for no
    /// lock: a row that a join or another look has locked is not orphaned, or goes next time.
    package static func removeOrphans(_ database: PostgresPool) async throws {
        let sql = """
            WITH RECURSIVE known (node) AS (
                SELECT min(node) FROM directory
                UNION ALL
                SELECT (SELECT min(d.node) FROM directory d WHERE d.node > known.node) FROM known WHERE known.node IS NOT NULL
            ), orphaned AS (
                SELECT d.topic, d.node FROM directory d
                WHERE d.node IN (SELECT k.node FROM known k WHERE k.node IS NOT NULL EXCEPT SELECT n.node FROM nodes n)
                FOR UPDATE SKIP LOCKED
            ), gone AS (
                DELETE FROM directory d USING orphaned o WHERE d.topic = o.topic AND d.node = o.node RETURNING d.node, d.topic
            )
            INSERT INTO losses (node, users, at)
            SELECT g.node, array_agg(substr(g.topic, 6)), '-infinity' FROM gone g WHERE g.topic LIKE 'user:%' GROUP BY g.node
            """
        try await database.execute(sql)
    }

    // MARK: What is to be said

    /// Keeps whose presence may have changed, for the next worker that looks.
    package static func keep(_ users: [String], of node: String, _ database: PostgresPool) async throws {
        try await database.execute("INSERT INTO losses (node, users, at) VALUES ($1, $2, '-infinity')", node, users)
    }

    /// Notes that nothing is left to be said of these.
    package static func noteAnnounced(_ losses: [Int], _ database: PostgresPool) async throws {
        // Two workers may have the same losses in hand: in one order, so that none waits for the other.
        let sql = """
            UPDATE losses SET announced = true
            WHERE loss IN (SELECT o.loss FROM losses o WHERE o.loss = ANY ($1) AND NOT o.announced ORDER BY o.loss FOR UPDATE)
            """
        try await database.execute(sql, losses)
    }

    /// Removes what was announced, and is older than so many seconds.
    package static func removeAnnounced(olderThan seconds: Double, _ database: PostgresPool) async throws {
        let sql = """
            DELETE FROM losses WHERE loss IN (
                SELECT o.loss FROM losses o WHERE o.announced AND o.at < now() - make_interval(secs => $1) FOR UPDATE SKIP LOCKED
            )
            """
        try await database.execute(sql, seconds)
    }

    /// Takes over what others have not announced for so many seconds; whoever takes one over has it for itself for as long.
    ///
    /// - Parameters:
    ///   - losses: Not these.
    ///   - limit: The most that are taken over.
    package static func takeOver(unannouncedFor seconds: Double, except losses: [Int], limit: Int, _ database: PostgresPool) async throws
        -> [Row]
    {
        let sql = """
            UPDATE losses l SET at = now() WHERE l.loss IN (
                SELECT o.loss FROM losses o
                WHERE NOT o.announced AND o.at < now() - make_interval(secs => $1) AND o.loss <> ALL ($2)
                ORDER BY o.loss LIMIT $3 FOR UPDATE SKIP LOCKED
            ) RETURNING l.loss, l.node, l.users
            """
        return try await database.query(sql, seconds, losses, limit).map { row in try Row(row) }
    }
}
