import Postgres

/// Reads what the checker wants to know from the database.
struct DatabaseReader: Sendable {
    let pool: PostgresPool

    func heads() async throws -> [String: Int] {
        var heads: [String: Int] = [:]
        for row in try await pool.run(Statement("SELECT topic, seq FROM topics")) {
            let (topic, seq) = try row.decode(String.self, Int.self)
            heads[topic] = seq
        }
        return heads
    }

    /// In pages, in the order of the log's key.
    func contents() async throws -> DatabaseContents {
        var contents = DatabaseContents()
        contents.heads = try await heads()
        let sql = """
            SELECT topic, seq, data::json ->> 'text' FROM events
            WHERE (topic, seq) > ($1, $2) ORDER BY topic, seq LIMIT 20000
            """
        var (topic, seq) = ("", 0)
        while true {
            let rows = try await pool.run(Statement(sql, topic, seq))
            for row in rows {
                let text: String?
                (topic, seq, text) = try row.decode(String.self, Int.self, String?.self)
                contents.log[topic, default: []].append(SeenEvent(seq: seq, token: text.map(EventText.token(ofText:))))
            }
            if rows.count < 20_000 { return contents }
        }
    }
}
