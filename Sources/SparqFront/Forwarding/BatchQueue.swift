import DequeModule
import SparqProtocol

/// Bounds of one batch. It may go beyond them by what one connection has on its way.
struct BatchLimits: Sendable, Equatable {
    var messages = 256
    var bytes = 256 * 1024
}

/// Envelopes of one pool that travel in one AMQP message.
struct Batch: Sendable {
    /// Which message of which connection, so that a batch that comes back can be answered.
    struct Member: Sendable, Equatable {
        var connection: ConnectionID
        var ordinal: Int
        /// From then on its sender is told `unavailable`: it must not be published any more. Nanoseconds of a clock that never goes back.
        var deadline = Int.max
    }

    private var writer: JSONWriter
    /// Envelopes in it, the node's own included.
    private(set) var count = 0
    /// Those that belong to connections.
    private(set) var members: [Member] = []
    /// Where the members' lines are.
    private var lines: [Range<Int>] = []
    private var firstDeadline = Int.max

    init(reservingCapacity capacity: Int) { writer = JSONWriter(reservingCapacity: capacity) }

    /// The body of the AMQP message.
    var bytes: [UInt8] { writer.bytes }

    /// Whether the last message is of the same connection. What a connection sends at once must not be parted: two batches may be worked on at
    /// the same time, in any order.
    fileprivate func ends(with member: Member?) -> Bool {
        guard let member, let last = members.last else { return false }
        return last.connection == member.connection
    }

    fileprivate mutating func append(_ envelope: Envelope, _ member: Member?) {
        let start = writer.bytes.count
        envelope.encode(into: &writer)
        count += 1
        guard let member else { return }
        members.append(member)
        lines.append(start..<writer.bytes.count)
        firstDeadline = min(firstDeadline, member.deadline)
    }

    /// Takes out the messages whose deadline is over, and returns them.
    mutating func removeExpired(now: Int) -> [Member] {
        guard firstDeadline <= now else { return [] }
        let old = self
        writer = JSONWriter(reservingCapacity: old.bytes.count)
        members = []
        lines = []
        firstDeadline = .max
        var expired: [Member] = []
        var copied = 0
        for (member, line) in zip(old.members, old.lines) {
            // What is between the members' lines is the node's own.
            writer.raw(old.bytes[copied..<line.lowerBound])
            copied = line.upperBound
            guard member.deadline > now else {
                expired.append(member)
                continue
            }
            let start = writer.bytes.count
            writer.raw(old.bytes[line])
            members.append(member)
            lines.append(start..<writer.bytes.count)
            firstDeadline = min(firstDeadline, member.deadline)
        }
        writer.raw(old.bytes[copied...])
        count -= expired.count
        return expired
    }
}

/// The envelopes of one pool that wait to be published, as batches that grow while the broker is busy.
struct BatchQueue: Sendable {
    private let limits: BatchLimits
    private var full: Deque<Batch> = []
    private var forming: Batch?
    /// Bytes of all that waits.
    private(set) var bytes = 0

    init(limits: BatchLimits) { self.limits = limits }

    /// Nothing waits.
    var isEmpty: Bool { forming == nil && full.isEmpty }

    /// Adds an envelope to the batch that is forming, or begins the next one.
    mutating func append(_ envelope: Envelope, member: Batch.Member?) {
        // What the envelope adds to the message is small beside it; the bound need not be exact.
        let size = envelope.message.count + 256
        if forming.map({ isFull($0, size) && !$0.ends(with: member) }) ?? false, let batch = forming.take() { full.append(batch) }
        if forming == nil { forming = Batch(reservingCapacity: max(size, 1024)) }
        let before = forming?.bytes.count ?? 0
        forming?.append(envelope, member)
        bytes += (forming?.bytes.count ?? 0) - before
    }

    private func isFull(_ batch: Batch, _ size: Int) -> Bool {
        batch.count >= limits.messages || batch.bytes.count + size > limits.bytes
    }

    /// Takes the oldest batch, even one that is still small.
    mutating func next() -> Batch? {
        guard let batch = full.popFirst() ?? forming.take() else { return nil }
        bytes -= batch.bytes.count
        return batch
    }
}
