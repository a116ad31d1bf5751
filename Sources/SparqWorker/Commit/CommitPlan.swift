import Postgres
import SparqProtocol

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The parameters of one call of `sparq_commit`, for some units. A value without I/O.
struct CommitPlan: Equatable, Sendable {
    /// A message to be noted in the inbox, with the places of its events, from 1.
    struct Entry: Equatable, Sendable {
        var key: MessageKey
        var reply: [UInt8]?
        /// ``Changes`` as text.
        var changes: String?
        var first: Int
        var last: Int
    }

    /// Distinct, in the order of their bytes, which is that of the locks.
    private(set) var topics: [String] = []
    /// How many events each topic gets.
    private(set) var counts: [Int] = []
    private(set) var events: [PendingEvent] = []
    /// For each event the place of its topic, from 1.
    private(set) var indices: [Int] = []
    /// How many events of the same topic come behind each event.
    private(set) var behind: [Int] = []
    /// In the order of their keys' bytes.
    private(set) var entries: [Entry] = []
    /// The keys' users of connections that end, whose `$connect` can begin no more.
    private(set) var ended: [String] = []

    init(_ units: some Sequence<Unit>) {
        for unit in units {
            let first = events.count + 1
            events += unit.appends
            guard let key = unit.key else { continue }
            if unit.isSeal {
                ended.append(key.user)
                continue
            }
            entries.append(
                Entry(key: key, reply: unit.reply.map(Array.init), changes: unit.changesText, first: first, last: events.count)
            )
        }
        if entries.count > 1 { entries.sort { $0.key.precedes($1.key) } }
        if ended.count > 1 { ended.sort { $0.byteOrder($1) < 0 } }
        indices = Array(repeating: 0, count: events.count)
        // By bytes, as the database tells them apart; strings that are equal in Unicode's eyes may differ there.
        for place in events.indices.sorted(by: { events[$0].topic.byteOrder(events[$1].topic) < 0 }) {
            let topic = events[place].topic
            if topics.last.map({ $0.byteOrder(topic) < 0 }) ?? true {
                topics.append(topic)
                counts.append(0)
            }
            indices[place] = topics.count
        }
        behind = Array(repeating: 0, count: events.count)
        for place in events.indices.reversed() {
            behind[place] = counts[indices[place] - 1]
            counts[indices[place] - 1] += 1
        }
    }

    /// Whether no message is there twice, and no connection's beginning beside its end; only then can the plan be committed as it is.
    var isDistinct: Bool {
        guard zip(entries, entries.dropFirst()).allSatisfy({ $0.key.precedes($1.key) }) else { return false }
        if ended.isEmpty { return true }
        return Set(ended).isDisjoint(with: entries.lazy.filter { $0.key.id == SystemType.connect }.map(\.key.user))
    }

    var statement: Statement {
        Statement(
            "SELECT heads, at_ms FROM sparq_commit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            topics,
            counts,
            events.map(\.topic),
            indices,
            behind,
            events.map(\.type),
            events.map { Array($0.data) },
            entries.map(\.key.user),
            entries.map(\.key.id),
            entries.map(\.key.fingerprint),
            entries.map(\.reply),
            entries.map(\.changes),
            entries.map(\.first),
            entries.map(\.last),
            ended
        )
    }

    /// Moves the units' events to those that are committed, with their numbers. The units must be those that the plan was made of.
    func apply(_ outcome: CommitOutcome, to units: inout [Unit]) {
        let at = EventBody.timestamp(milliseconds: outcome.time)
        var place = 0
        for index in units.indices {
            for event in units[index].appends {
                let seq = outcome.heads[indices[place] - 1] - behind[place]
                place += 1
                let body = EventBody.durable(type: event.type, topic: event.topic, seq: seq, at: at, data: event.data)
                units[index].events.append(Event(topic: event.topic, seq: seq, body: body))
            }
            units[index].appends = []
            units[index].key = nil
        }
    }
}

extension MessageKey {
    fileprivate func precedes(_ other: MessageKey) -> Bool {
        let order = user.byteOrder(other.user)
        return order < 0 || (order == 0 && id.byteOrder(other.id) < 0)
    }
}

extension String {
    /// The order of `COLLATE "C"`: below 0 where this one comes first, 0 where the bytes are equal.
    fileprivate func byteOrder(_ other: String) -> Int {
        var (own, other) = (self, other)
        return own.withUTF8 { own in
            other.withUTF8 { other in
                guard let first = own.baseAddress, let second = other.baseAddress else { return own.count - other.count }
                let order = Int(memcmp(first, second, min(own.count, other.count)))
                return order != 0 ? order : own.count - other.count
            }
        }
    }
}
