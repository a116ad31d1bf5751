package import SparqPostgres

/// Which nodes have subscribers of which topic, where the topics' logs end, and which users are there.
package enum DirectoryStore {
    /// Calls `sparq_nodes`: the nodes that have subscribers of the topics. For its rows see ``node(_:)``.
    package static func nodes(ofTopics topics: [String]) -> Statement {
        Statement("SELECT topic_index, node FROM sparq_nodes($1)", topics)
    }

    /// A topic's place among those asked for, from 1, and a node that has subscribers of it.
    package static func node(_ row: PostgresRow) throws(PostgresError) -> (topic: Int, node: String) {
        let (topic, node) = try row.decode(Int.self, String.self)
        return (topic, node)
    }

    /// Calls `sparq_heads`: the last numbers of the topics' logs. For its rows see ``head(_:)``.
    package static func heads(ofTopics topics: [String]) -> Statement {
        Statement("SELECT topic, seq FROM sparq_heads($1)", topics)
    }

    /// A topic that has events, and the number of its last one.
    package static func head(_ row: PostgresRow) throws(PostgresError) -> (topic: String, seq: Int) {
        let (topic, seq) = try row.decode(String.self, Int.self)
        return (topic, seq)
    }

    /// All nodes. For its rows see ``name(_:)``. Those too whose lease ran out, and that were taken for dead: they may be asleep, and have clients
    /// still. What is for a node that is gone is dropped.
    package static var allNodes: Statement { Statement("SELECT node FROM nodes UNION SELECT node FROM losses") }

    /// A node.
    package static func name(_ row: PostgresRow) throws(PostgresError) -> String { try row.decode(String.self) }

    /// Calls `sparq_presence`: for each user, by place, whether they are there, and as of when by the database's clock (ISO 8601, UTC).
    package static func presence(of users: [String], _ database: any PostgresExecutor) async throws
        -> [(user: Int, isOnline: Bool, at: String)]
    {
        let sql = "SELECT user_index, is_online, at FROM sparq_presence($1) ORDER BY user_index"
        return try await database.query(sql, users).map { row in
            let (index, isOnline, at) = try row.decode(Int.self, Bool.self, String.self)
            return (user: index - 1, isOnline: isOnline, at: at)
        }
    }
}
