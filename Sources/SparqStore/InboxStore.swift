package import SparqPostgres

/// The inbox and the log: what a batch of messages commits, and what messages brought that took effect before.
package enum InboxStore {
    // MARK: Committing

    /// Calls `sparq_commit`: notes messages in the inbox, and appends their durable events to topics. All of it or nothing.
    ///
    /// - Parameters:
    ///   - topics: Distinct, in the order of their bytes.
    ///   - counts: How many events each topic gets.
    ///   - eventTopics: The topic of each event.
    ///   - eventIndices: The place of that topic among `topics`, from 1.
    ///   - eventsBehind: How many events of the same topic come behind each event.
    ///   - users: The users of the messages' keys; the messages are distinct, in the order of their keys' bytes.
    ///   - firsts: The place of each message's first event, from 1.
    ///   - lasts: The place of its last event.
    ///   - ended: The users of connections that end.
    package static func commit(
        topics: [String],
        counts: [Int],
        eventTopics: [String],
        eventIndices: [Int],
        eventsBehind: [Int],
        eventTypes: [String],
        eventData: [[UInt8]],
        users: [String],
        ids: [String],
        fingerprints: [Int64],
        replies: [[UInt8]?],
        changes: [String?],
        firsts: [Int],
        lasts: [Int],
        ended: [String]
    ) -> Statement {
        Statement(
            "SELECT heads, at_ms FROM sparq_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            topics,
            counts,
            eventTopics,
            eventIndices,
            eventsBehind,
            eventTypes,
            eventData,
            users,
            ids,
            fingerprints,
            replies,
            changes,
            firsts,
            lasts,
            ended
        )
    }

    /// What a commit's row says: the last number of each topic, and when the events were appended (milliseconds since the Unix epoch).
    package static func committed(_ rows: PostgresResult) throws(PostgresError) -> (heads: [Int], time: Int) {
        guard let row = rows.first else { return ([], 0) }
        let (heads, time) = try row.decode([Int]?.self, Int?.self)
        return (heads ?? [], time ?? 0)
    }

    // MARK: Repeats

    /// What a message brought, with one of its durable events.
    package struct RepeatedEvent: Sendable {
        /// The message's place among those asked for, from 1.
        package let message: Int
        /// The reply's bytes, as they were.
        package let reply: [UInt8]?
        /// The first message under this key was another one.
        package let isMismatch: Bool
        /// The lasting changes, as text.
        package let changes: String?
        /// The event's topic; `nil`, as what follows, for a message without any.
        package let topic: String?
        /// The event's number.
        package let seq: Int?
        /// When it was appended: milliseconds since the Unix epoch.
        package let time: Int?
        /// The event's type.
        package let type: String?
        /// The JSON text of its data.
        package let data: [UInt8]?

        /// Reads a row of ``InboxStore/repeats(users:ids:fingerprints:)``.
        package init(_ row: PostgresRow) throws(PostgresError) {
            (message, reply, isMismatch, changes, topic, seq, time, type, data) = try row.decode(
                Int.self,
                [UInt8]?.self,
                Bool.self,
                String?.self,
                String?.self,
                Int?.self,
                Int?.self,
                String?.self,
                [UInt8]?.self
            )
        }
    }

    /// Calls `sparq_repeats`: those of the messages that took effect before, a row for each event (``RepeatedEvent``).
    package static func repeats(users: [String], ids: [String], fingerprints: [Int64]) -> Statement {
        Statement(
            "SELECT message, reply, mismatch, changes, topic, seq, at_ms, type, data FROM sparq_repeats($1, $2, $3)",
            users,
            ids,
            fingerprints
        )
    }

    /// Those of the messages that took effect, by the users and ids of their keys.
    package static func known(users: [String], ids: [String], _ database: any PostgresExecutor) async throws -> [(user: String, id: String)]
    {
        let sql = """
            SELECT i.user_id, i.message_id FROM unnest($1::text[], $2::text[]) AS k (user_id, message_id)
            CROSS JOIN LATERAL (
                SELECT b.user_id, b.message_id FROM inbox b WHERE b.user_id = k.user_id AND b.message_id = k.message_id LIMIT 1
            ) i
            """
        return try await database.query(sql, users, ids).map { row in
            let (user, id) = try row.decode(String.self, String.self)
            return (user: user, id: id)
        }
    }
}

extension PostgresError {
    /// A message of a commit is in the inbox already; nothing was committed.
    package var isRepeat: Bool { sqlState == "23505" && constraint == "inbox_pkey" }
}
