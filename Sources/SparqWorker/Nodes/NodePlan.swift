import SparqPostgres
import SparqStore
import SparqWire

/// What many nodes' requests together ask of the database: a statement for each kind. A value without I/O.
struct NodePlan: Sendable {
    struct Row: Hashable, Sendable {
        var node: String
        var topic: String
    }

    /// A page that somebody waits for.
    struct Wanted: Equatable, Sendable {
        var node: String
        var topic: String
        var after: Int
        var version: Int
        var connection: String?
        /// Which of the brief questions it belongs to: nobody waits for a page without news.
        var question: Int?
    }

    /// A request whose answer names only what is behind.
    struct Question: Equatable, Sendable {
        var node: String
        var version: Int
        var behind: [String] = []
    }

    /// What the database said.
    struct Outcome: Sendable {
        var answers: [(node: String, delivery: SparqWire.Delivery, size: Int)] = []
        /// Topics of users of which a row was written.
        var written: [String] = []
    }

    private(set) var leases: [(node: String, request: LeaseRequest)] = []
    /// As of which change of the node's.
    private(set) var joins: [Row: Int] = [:]
    /// The latest change of each node that joins something.
    private(set) var versions: [String: Int] = [:]
    private(set) var leaves: [Row: Int] = [:]
    private(set) var pages: [Wanted] = []
    private(set) var questions: [Question] = []

    init(_ requests: [NodeRequest]) {
        for request in requests {
            let node = request.envelope.node
            switch request.kind {
            case .lease(let lease): leases.append((node, lease))
            case .leave(let leave):
                for topic in leave.topics { leaves[Row(node: node, topic: topic), default: 0].raise(to: leave.version) }
            case .read(let read):
                pages.append(Wanted(node: node, topic: read.topic, after: max(0, read.after), version: 0, connection: read.connection))
            case .join(let sync):
                versions[node, default: 0].raise(to: sync.version)
                var question: Int?
                if sync.brief == true {
                    question = questions.count
                    questions.append(Question(node: node, version: sync.version))
                }
                for (topic, after) in sync.topics {
                    joins[Row(node: node, topic: topic), default: 0].raise(to: sync.joined(topic))
                    pages.append(Wanted(node: node, topic: topic, after: max(0, after), version: sync.version, question: question))
                }
            }
        }
    }

    /// Whose presence may have changed by it, or is to be told to a node that has just begun to listen.
    ///
    /// - Parameter written: Topics of users of which a row was written; `nil` where what was there may have been written by a try before, of which
    ///   nobody was told.
    func users(written: [String]?) -> [String] {
        var users = Set((written ?? joins.keys.map(\.topic)).compactMap { Topic.user(ofTopic: $0) })
        for row in joins.keys { if let user = Topic.user(ofPresence: row.topic) { users.insert(user) } }
        for row in leaves.keys { if let user = Topic.user(ofTopic: row.topic) { users.insert(user) } }
        return Array(users)
    }

    /// A lease tells of the time before the others. Joins and leaves go by their versions, in any order.
    /// The pages are read last, after the joins are committed.
    func statements(leaseSeconds: Int) -> [Statement] {
        var statements = leases.map { node, lease in NodeStore.renew(node, lease, seconds: leaseSeconds) }
        if !joins.isEmpty {
            let (rows, nodes) = (Array(joins), Array(versions.keys))
            statements.append(
                NodeStore.join(
                    nodes: nodes,
                    nodeVersions: nodes.map { versions[$0] ?? 0 },
                    topics: rows.map(\.key.topic),
                    topicNodes: rows.map(\.key.node),
                    versions: rows.map(\.value),
                    checksums: rows.map { TopicChecksum.part($0.key.topic) },
                    leaseSeconds: leaseSeconds
                )
            )
        }
        if !leaves.isEmpty {
            let rows = Array(leaves)
            statements.append(
                NodeStore.leave(nodes: rows.map(\.key.node), topics: rows.map(\.key.topic), versions: rows.map(\.value))
            )
        }
        if !pages.isEmpty {
            statements.append(
                NodeStore.news(
                    topics: pages.map(\.topic),
                    afters: pages.map(\.after),
                    events: PageLimit.events,
                    bytes: PageLimit.bytes,
                    total: PageLimit.sum
                )
            )
        }
        return statements
    }

    /// What follows, from the statements' results in their order.
    func outcome(_ results: [PostgresResult]) throws(PostgresError) -> Outcome {
        var outcome = Outcome()
        for (lease, rows) in zip(leases, results) where !lease.request.leaving {
            for row in rows {
                let comparison = try NodeStore.Comparison(row)
                outcome.answers.append((lease.node, .lease(comparison.differs && comparison.buckets == nil ? .resync : .renewed), 32))
                guard comparison.differs, let buckets = comparison.buckets else { continue }
                let topicsThere = comparison.topics ?? []
                let size = topicsThere.reduce(64 + 4 * buckets.count) { $0 + $1.utf8.count + 3 }
                outcome.answers.append((lease.node, .differs(Difference(buckets: buckets, topics: topicsThere)), size))
            }
        }
        if !joins.isEmpty { for row in results[leases.count] { outcome.written.append(try NodeStore.writtenTopic(row)) } }
        guard !pages.isEmpty, let rows = results.last else { return outcome }
        var news = try read(rows)
        var questions = questions
        for (place, wanted) in pages.enumerated() {
            var size = wanted.topic.utf8.count
            if let page = news.removeValue(forKey: place) {
                if let question = wanted.question { questions[question].behind.append(wanted.topic) }
                size += page.events.reduce(0) { $0 + $1.count + 1 }
                outcome.answers.append((wanted.node, .page(page), size))
            } else if wanted.question == nil {
                outcome.answers.append((wanted.node, .page(wanted.page(first: wanted.after + 1, head: wanted.after)), size))
            }
        }
        // Behind the pages: what has come by then is all.
        for question in questions {
            let size = question.behind.reduce(64) { $0 + $1.utf8.count + 3 }
            outcome.answers.append((question.node, .synced(Synced(version: question.version, behind: question.behind)), size))
        }
        return outcome
    }

    /// The pages of those that are not at the head, by their places.
    private func read(_ rows: PostgresResult) throws(PostgresError) -> [Int: Page] {
        var news: [Int: Page] = [:]
        for row in rows {
            let row = try NodeStore.PageRow(row)
            let place = row.item - 1
            let wanted = pages[place]
            if news[place] == nil {
                news[place] = wanted.page(first: row.seq ?? max(wanted.after, min(row.floor, row.head)) + 1, head: row.head)
            }
            guard let seq = row.seq, let time = row.time, let type = row.type, let data = row.data else { continue }
            let at = EventBody.timestamp(milliseconds: time)
            news[place]?.events.append(EventBody.logged(type: type, topic: wanted.topic, seq: seq, at: at, data: data[...]))
        }
        return news
    }
}

extension NodePlan.Wanted {
    fileprivate func page(first: Int, head: Int) -> Page {
        Page(topic: topic, after: after, first: first, head: head, version: version, connection: connection, events: [])
    }
}

/// How much of a log one page holds.
enum PageLimit {
    static let events = 256
    /// Of data; an event that is larger alone still comes.
    static let bytes = 192 << 10
    /// Of all pages of one statement, by one page more: what is beyond comes empty and is asked for again, behind what others ask.
    static let sum = 4 << 20
}

extension Int {
    fileprivate mutating func raise(to other: Int) { self = Swift.max(self, other) }
}
