import Postgres
import SparqProtocol

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
    }

    private(set) var leases: [(node: String, request: LeaseRequest)] = []
    private(set) var joins: [Row: Int] = [:]
    private(set) var leaves: [Row: Int] = [:]
    private(set) var pages: [Wanted] = []

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
                for (topic, after) in sync.topics {
                    joins[Row(node: node, topic: topic), default: 0].raise(to: sync.version)
                    pages.append(Wanted(node: node, topic: topic, after: max(0, after), version: sync.version, connection: nil))
                }
            }
        }
    }

    /// Whose presence may change by it, or is to be told to a node that has just begun to listen.
    var users: [String] {
        var users: Set<String> = []
        for row in joins.keys { if let user = Topic.user(ofTopic: row.topic) ?? Topic.user(ofPresence: row.topic) { users.insert(user) } }
        for row in leaves.keys { if let user = Topic.user(ofTopic: row.topic) { users.insert(user) } }
        return Array(users)
    }

    /// In an order in which nothing undoes what is newer: a lease tells of the time before the others; a leave goes by its version.
    /// The pages are read last, after the joins are committed.
    func statements(leaseSeconds: Int) -> [Statement] {
        var statements = leases.map { node, lease in
            Statement(
                "SELECT sparq_lease($1, $2, $3, $4, $5, $6, $7, $8)",
                node,
                lease.incarnation,
                lease.version,
                lease.topicCount,
                lease.checksum,
                lease.settled,
                lease.leaving,
                leaseSeconds
            )
        }
        if !joins.isEmpty {
            let rows = Array(joins)
            statements.append(
                Statement(
                    "SELECT sparq_join($1, $2, $3, $4, $5)",
                    rows.map(\.key.node),
                    rows.map(\.key.topic),
                    rows.map(\.value),
                    rows.map { TopicChecksum.part($0.key.topic) },
                    leaseSeconds
                )
            )
        }
        if !leaves.isEmpty {
            let rows = Array(leaves)
            statements.append(
                Statement("SELECT sparq_leave($1, $2, $3)", rows.map(\.key.node), rows.map(\.key.topic), rows.map(\.value))
            )
        }
        if !pages.isEmpty {
            statements.append(
                Statement(
                    "SELECT item, head, floor, seq, at_ms, type, data FROM sparq_pages($1, $2, $3, $4, $5)",
                    pages.map(\.topic),
                    pages.map(\.after),
                    PageLimit.events,
                    PageLimit.bytes,
                    PageLimit.sum
                )
            )
        }
        return statements
    }

    /// The answers, from the statements' results in their order.
    func answers(_ results: [PostgresResult]) throws(PostgresError) -> [(node: String, delivery: SparqProtocol.Delivery, size: Int)] {
        var answers: [(node: String, delivery: SparqProtocol.Delivery, size: Int)] = []
        for (lease, rows) in zip(leases, results) where !lease.request.leaving {
            for row in rows { answers.append((lease.node, .lease(try row.decode(Bool.self) ? .resync : .renewed), 32)) }
        }
        guard !pages.isEmpty, let rows = results.last else { return answers }
        var open: (item: Int, page: Page, size: Int)?
        for row in rows {
            let (item, head, floor, seq, time, type, data) = try row.decode(
                Int.self,
                Int.self,
                Int.self,
                Int?.self,
                Int?.self,
                String?.self,
                [UInt8]?.self
            )
            let wanted = pages[item - 1]
            if open?.item != item {
                if let open { answers.append((pages[open.item - 1].node, .page(open.page), open.size)) }
                let first = seq ?? max(wanted.after, min(floor, head)) + 1
                open = (
                    item,
                    Page(
                        topic: wanted.topic,
                        after: wanted.after,
                        first: first,
                        head: head,
                        version: wanted.version,
                        connection: wanted.connection,
                        events: []
                    ),
                    wanted.topic.utf8.count
                )
            }
            guard let seq, let time, let type, let data else { continue }
            let at = EventBody.timestamp(milliseconds: time)
            let body = EventBody.durable(type: type, topic: wanted.topic, seq: seq, at: at, data: data[...])
            open?.page.events.append(body)
            open?.size += body.count + 1
        }
        if let open { answers.append((pages[open.item - 1].node, .page(open.page), open.size)) }
        return answers
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
