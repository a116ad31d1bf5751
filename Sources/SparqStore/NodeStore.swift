package import SparqPostgres
package import SparqWire

/// What nodes ask by themselves: their leases, joins and leaves, and pages of topics' logs.
package enum NodeStore {
    // MARK: Leases

    /// What the database says to a lease.
    package struct Comparison: Sendable {
        /// The directory is not what the node says: it must join topics again.
        package let differs: Bool
        /// In which buckets (``TopicChecksum``); `nil`: all its topics.
        package let buckets: [Int]?
        /// The topics that the directory has in those buckets; not of all of them if that would be too much.
        package let topics: [String]?

        /// Reads the row of ``NodeStore/renew(_:_:seconds:)``.
        package init(_ row: PostgresRow) throws(PostgresError) {
            (differs, buckets, topics) = try row.decode(Bool.self, [Int]?.self, [String]?.self)
        }
    }

    /// Calls `sparq_renew`: renews a node's lease, and compares its topics with the directory. One row, a ``Comparison``.
    package static func renew(_ node: String, _ lease: LeaseRequest, seconds: Int) -> Statement {
        Statement(
            "SELECT differs, buckets, topics FROM sparq_renew($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            node,
            lease.incarnation,
            lease.version,
            lease.topicCount,
            lease.checksum,
            lease.settled,
            lease.leaving,
            seconds,
            lease.sums
        )
    }

    // MARK: Joins and leaves

    /// Calls `sparq_join`: notes that nodes have subscribers of topics, and renews their leases. Its rows are the topics of users that were written.
    ///
    /// - Parameters:
    ///   - nodes: Each node once.
    ///   - nodeVersions: The latest change of each node.
    ///   - topics: A topic for each row, with its node; the pairs are distinct.
    ///   - versions: As of which of the node's changes it has the topic.
    package static func join(
        nodes: [String],
        nodeVersions: [Int],
        topics: [String],
        topicNodes: [String],
        versions: [Int],
        checksums: [Int],
        leaseSeconds: Int
    ) -> Statement {
        Statement(
            "SELECT topic FROM sparq_join($1, $2, $3, $4, $5, $6, $7) AS topic",
            nodes,
            nodeVersions,
            topics,
            topicNodes,
            versions,
            checksums,
            leaseSeconds
        )
    }

    /// A topic of a user of which ``join(nodes:nodeVersions:topics:topicNodes:versions:checksums:leaseSeconds:)`` wrote a row.
    package static func writtenTopic(_ row: PostgresRow) throws(PostgresError) -> String { try row.decode(String.self) }

    /// Calls `sparq_leave`: notes that nodes have no more subscribers of topics.
    package static func leave(nodes: [String], topics: [String], versions: [Int]) -> Statement {
        Statement("SELECT sparq_leave($1, $2, $3)", nodes, topics, versions)
    }

    // MARK: Pages

    /// An event of a page, or an empty page.
    package struct PageRow: Sendable {
        /// The page's place among those asked for, from 1.
        package let item: Int
        /// The number of the topic's last event.
        package let head: Int
        /// The number of the last event that is no longer kept.
        package let floor: Int
        /// The event's number; `nil`, as what follows, if the page is empty.
        package let seq: Int?
        /// When it was appended: milliseconds since the Unix epoch.
        package let time: Int?
        /// The event's type.
        package let type: String?
        /// The JSON text of its data.
        package let data: [UInt8]?

        /// Reads a row of ``NodeStore/news(topics:afters:events:bytes:total:)``.
        package init(_ row: PostgresRow) throws(PostgresError) {
            (item, head, floor, seq, time, type, data) = try row.decode(
                Int.self,
                Int.self,
                Int.self,
                Int?.self,
                Int?.self,
                String?.self,
                [UInt8]?.self
            )
        }
    }

    /// Calls `sparq_news`: a page of each topic's log, of those that have more. For its rows see ``PageRow``.
    ///
    /// - Parameters:
    ///   - afters: The last number that is known of each topic.
    ///   - events: The most events of a page.
    ///   - bytes: About the most bytes of data of a page.
    ///   - total: The most bytes of all pages; those beyond come empty.
    package static func news(topics: [String], afters: [Int], events: Int, bytes: Int, total: Int) -> Statement {
        Statement(
            "SELECT item, head, floor, seq, at_ms, type, data FROM sparq_news($1, $2, $3, $4, $5)",
            topics,
            afters,
            events,
            bytes,
            total
        )
    }
}
