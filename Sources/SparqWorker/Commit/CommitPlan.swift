import SparqPostgres
import SparqStore
import SparqWire

/// The parameters of one call of `sparq_commit`, for some messages. A value without I/O.
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

    init(_ messages: [HandledMessage]) {
        var entries: [Entry] = []
        entries.reserveCapacity(messages.count)
        events.reserveCapacity(messages.count)
        for message in messages {
            let first = events.count + 1
            events += message.appends
            switch message.entry {
            case .seal(let key)?: ended.append(key.user)
            case .message(let key)?:
                entries.append(
                    Entry(
                        key: key,
                        reply: message.rest.reply.map(Array.init),
                        changes: message.changesText,
                        first: first,
                        last: events.count
                    )
                )
            case nil: break
            }
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
        InboxStore.commit(
            topics: topics,
            counts: counts,
            eventTopics: events.map(\.topic),
            eventIndices: indices,
            eventsBehind: behind,
            eventTypes: events.map(\.type),
            eventData: events.map { Array($0.data) },
            users: entries.map(\.key.user),
            ids: entries.map(\.key.id),
            fingerprints: entries.map(\.key.fingerprint),
            replies: entries.map(\.reply),
            changes: entries.map(\.changes),
            firsts: entries.map(\.first),
            lasts: entries.map(\.last),
            ended: ended
        )
    }

    /// The messages as they are committed: their events have numbers.
    ///
    /// - Parameter messages: Those that the plan was made of.
    func committed(_ outcome: CommitOutcome, _ messages: [HandledMessage]) -> [CommittedMessage] {
        let at = EventBody.timestamp(milliseconds: outcome.time)
        var place = 0
        return messages.map { message in
            let events = message.appends.map { event in
                let seq = outcome.heads[indices[place] - 1] - behind[place]
                place += 1
                let body = EventBody.durable(type: event.type, topic: event.topic, seq: seq, at: at, data: event.data)
                return Event(topic: event.topic, seq: seq, body: body)
            }
            return CommittedMessage(message.rest, events: events)
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

/// What `sparq_commit` answered. A value without I/O.
struct CommitOutcome: Equatable, Sendable {
    /// The last number of each of the plan's topics.
    var heads: [Int] = []
    /// When the events were appended: milliseconds since the Unix epoch.
    var time = 0

    /// - Parameter topics: How many topics the plan has.
    init(_ rows: PostgresResult, topics: Int) throws(PostgresError) {
        (heads, time) = try InboxStore.committed(rows)
        // Events without numbers must not be delivered, nor their messages acked.
        precondition(heads.count == topics, "sparq_commit answers with one number for each topic")
    }

    init(heads: [Int], time: Int) {
        self.heads = heads
        self.time = time
    }
}
