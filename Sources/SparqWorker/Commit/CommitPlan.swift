import Postgres
import SparqProtocol

/// The parameters of one call of `sparq_commit`, for some units. A value without I/O.
struct CommitPlan: Equatable, Sendable {
    private(set) var users: [String?] = []
    private(set) var ids: [String?] = []
    private(set) var fingerprints: [Int64] = []
    private(set) var replies: [[UInt8]?] = []
    /// Distinct, by their bytes.
    private(set) var topics: [String] = []
    /// For each event the number of its unit, from 1.
    private(set) var eventUnits: [Int] = []
    /// For each event the number of its topic, from 1.
    private(set) var eventTopics: [Int] = []
    private(set) var eventTypes: [String] = []
    private(set) var eventData: [[UInt8]] = []

    init(_ units: some Sequence<Unit>) {
        var indices: [String: Int] = [:]
        for unit in units {
            users.append(unit.key?.user)
            ids.append(unit.key?.id)
            fingerprints.append(unit.key?.fingerprint ?? 0)
            replies.append(unit.key == nil ? nil : unit.reply.map(Array.init))
            for event in unit.appends {
                let index: Int
                if let known = indices[event.topic] {
                    index = known
                } else {
                    topics.append(event.topic)
                    index = topics.count
                    indices[event.topic] = index
                }
                eventUnits.append(users.count)
                eventTopics.append(index)
                eventTypes.append(event.type)
                eventData.append(Array(event.data))
            }
        }
    }

    var statement: Statement {
        Statement(
            """
            SELECT kind, unit, ordinals, seqs, at_ms, topic, seq, type, data, reply, mismatch
            FROM sparq_commit($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """,
            users,
            ids,
            fingerprints,
            replies,
            topics,
            eventUnits,
            eventTopics,
            eventTypes,
            eventData
        )
    }
}
