import SparqPostgres
import SparqWire

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
    /// Some message is there twice.
    private var hasTwins = false

    init(_ units: [Unit]) {
        var entries: [Entry] = []
        entries.reserveCapacity(units.count)
        events.reserveCapacity(units.count)
        // By places: a unit has so many parts that copying it costs more than what is read here.
        for place in units.indices {
            let first = events.count + 1
            events += units[place].appends
            guard let key = units[place].key else { continue }
            if units[place].isSeal {
                ended.append(key.user)
                continue
            }
            entries.append(
                Entry(
                    key: key,
                    reply: units[place].reply.map(Array.init),
                    changes: units[place].changesText,
                    first: first,
                    last: events.count
                )
            )
        }
        let keys = ByteOrder(entries.count) { entries[$0].key.write(to: &$1) }
        self.entries = keys.places.map { entries[$0] }
        hasTwins = keys.hasTwins
        ended = ByteOrder(ended.count) { $1 += ended[$0].utf8 }.places.map { ended[$0] }
        indices = Array(repeating: 0, count: events.count)
        // By bytes, as the database tells them apart; strings that are equal in Unicode's eyes may differ there.
        let order = ByteOrder(events.count) { $1 += events[$0].topic.utf8 }
        for (rank, place) in order.places.enumerated() {
            if rank == 0 || !order.areEqual(order.places[rank - 1], place) {
                topics.append(events[place].topic)
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
        if hasTwins { return false }
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
    /// Its bytes in the order of (user, id): no user's name has a byte 0, so none that begins another's comes behind it.
    fileprivate func write(to bytes: inout [UInt8]) {
        bytes += user.utf8
        bytes.append(0)
        bytes += id.utf8
    }
}
