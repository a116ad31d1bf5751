/// The end of the answer to a brief ``SyncRequest``: its topics are in the directory, and where the node was is the end of their logs, but for those
/// that are named. For these there is a ``Page`` each.
package struct Synced: Equatable, Sendable {
    /// The version of the request.
    package var version: Int
    /// Topics of which a page tells.
    package var behind: [String]

    /// An answer of its parts.
    package init(version: Int, behind: [String]) {
        self.version = version
        self.behind = behind
    }
}

extension Synced {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"synced\",\"version\":")
        writer.integer(version)
        writer.raw(",\"topics\":")
        writer.array(behind) { topic, writer in writer.string(topic) }
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        self.init(version: try fields.required(fields.version), behind: fields.topics)
    }
}

/// What a worker says to the renewal of a node's lease.
package enum LeaseAnswer: String, Equatable, Sendable {
    /// Renewed; the directory holds what the node said.
    case renewed
    /// Renewed, but the directory was not what the node said: it must send a ``SyncRequest`` for all of its topics.
    case resync
}

extension LeaseAnswer {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"lease\",\"answer\":")
        writer.string(rawValue)
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        guard let answer = LeaseAnswer(rawValue: fields.answer ?? "") else { throw JSONError(.wrongKind, at: 0) }
        self = answer
    }
}

/// Where the directory differs from what a node said. The node mends it: it asks for the topics that it has in these buckets, and leaves those that it
/// does not have.
package struct Difference: Equatable, Sendable {
    /// The buckets whose sums differ (``TopicChecksum/bucket(ofPart:)``).
    package var buckets: [Int]
    /// What the directory says that the node has in them; where that is much, only in some of them.
    package var topics: [String]

    /// A difference of its parts.
    package init(buckets: [Int], topics: [String]) {
        self.buckets = buckets
        self.topics = topics
    }
}

extension Difference {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"differs\",\"buckets\":")
        writer.array(buckets) { bucket, writer in writer.integer(bucket) }
        writer.raw(",\"topics\":")
        writer.array(topics) { topic, writer in writer.string(topic) }
    }

    init(_ fields: DeliveryFields) { self.init(buckets: fields.buckets, topics: fields.topics) }
}
