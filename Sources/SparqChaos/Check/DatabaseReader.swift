import SparqPostgres

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
            SELECT topic, seq, type, data::json ->> 'text', data::json ->> 'room', data::json ->> 'user' FROM events
            WHERE (topic, seq) > ($1, $2) ORDER BY topic, seq LIMIT 20000
            """
        var (topic, seq) = ("", 0)
        while true {
            let rows = try await pool.run(Statement(sql, topic, seq))
            for row in rows {
                let (type, text, room, user): (String, String?, String?, String?)
                (topic, seq, type, text, room, user) = try row.decode(
                    String.self,
                    Int.self,
                    String.self,
                    String?.self,
                    String?.self,
                    String?.self
                )
                let token = text.map(EventText.token(ofText:)) ?? EventText.token(of: type, room: room, user: user)
                contents.log[topic, default: []].append(SeenEvent(seq: seq, token: token))
            }
            if rows.count < 20_000 { return contents }
        }
    }
}
