package import SparqWire

/// Envelopes of one lane that travel in one AMQP message.
package struct Batch: Sendable {
    /// Which message of which connection, so that a batch that comes back can be answered.
    package struct Member: Sendable, Equatable {
        package var connection: ConnectionID
        package var ordinal: Int
        /// From then on its sender is told `unavailable`: it must not be published any more. Nanoseconds of a clock that never goes back.
        package var deadline: Int
        /// Workers may have it already: whatever becomes of this one, it says nothing of the first.
        package var isCopy: Bool

        package init(connection: ConnectionID, ordinal: Int, deadline: Int = .max, isCopy: Bool = false) {
            self.connection = connection
            self.ordinal = ordinal
            self.deadline = deadline
            self.isCopy = isCopy
        }

        /// `$connect`.
        var isBeginning: Bool { ordinal == 1 && connection.kind == .socket && !isCopy }
        /// `$disconnect`: workers must hear of it, whenever that is.
        package var isEnd: Bool { deadline == .max }
    }

    private var writer: JSONWriter
    /// Envelopes in it, the node's own included.
    package private(set) var count = 0
    /// Those that belong to connections.
    package private(set) var members: [Member] = []
    /// Where the members' lines are.
    private var lines: [Range<Int>] = []
    private var firstDeadline = Int.max
    /// It was published without the broker's word for it: workers may have it all the same. Then the end of a connection will follow its `$connect`,
    /// which so has to be there, whatever the time.
    package var wasTried = false

    package init(reservingCapacity capacity: Int) { writer = JSONWriter(reservingCapacity: capacity) }

    /// The body of the AMQP message.
    package var bytes: [UInt8] { writer.bytes }

    /// Whether the last message is of the same connection. What a connection sends at once must not be parted: two batches may be worked on at
    /// the same time, in any order.
    func ends(with member: Member?) -> Bool {
        guard let member, let last = members.last else { return false }
        return last.connection == member.connection
    }

    /// Where the members' lines begin.
    package var starts: [Int] { lines.map(\.lowerBound) }

    package mutating func append(_ envelope: Envelope, _ member: Member?) {
        append(member) { envelope.encode(into: &$0) }
    }

    /// Appends an envelope as it travels, without its line break.
    package mutating func append(_ line: ArraySlice<UInt8>, _ member: Member?) {
        append(member) { writer in
            writer.raw(line)
            writer.byte(UInt8(ascii: "\n"))
        }
    }

    private mutating func append(_ member: Member?, _ write: (inout JSONWriter) -> Void) {
        let start = writer.bytes.count
        write(&writer)
        count += 1
        guard let member else { return }
        members.append(member)
        lines.append(start..<writer.bytes.count)
        firstDeadline = min(firstDeadline, member.deadline)
    }

    /// Takes out the messages whose deadline is over, and returns them.
    package mutating func removeExpired(now: Int) -> [Member] {
        guard firstDeadline <= now else { return [] }
        let wasTried = wasTried
        return remove(own: false) { $0.deadline <= now && !(wasTried && $0.isBeginning) }
    }

    /// Takes out, and returns, what need not be published again where no queue has it: all but the ends of connections, and their beginnings where
    /// workers may have those.
    package mutating func removeReturned() -> [Member] {
        let wasTried = wasTried
        return remove(own: true) { !$0.isEnd && !(wasTried && $0.isBeginning) }
    }

    /// Takes out members, and returns them. With a `$connect` goes its own `$disconnect`: nobody has heard of the connection.
    /// - Parameter own: whether what is the node's own goes too.
    private mutating func remove(own: Bool, _ isOut: (Member) -> Bool) -> [Member] {
        let old = self
        writer = JSONWriter(reservingCapacity: old.bytes.count)
        (members, lines, firstDeadline) = ([], [], .max)
        var removed: [Member] = []
        var unheard: Set<ConnectionID> = []
        var copied = 0
        for (member, line) in zip(old.members, old.lines) {
            // What is between the members' lines is the node's own.
            if !own { writer.raw(old.bytes[copied..<line.lowerBound]) }
            copied = line.upperBound
            if isOut(member) || (member.isEnd && unheard.contains(member.connection)) {
                if member.isBeginning { unheard.insert(member.connection) }
                removed.append(member)
                continue
            }
            let start = writer.bytes.count
            writer.raw(old.bytes[line])
            members.append(member)
            lines.append(start..<writer.bytes.count)
            firstDeadline = min(firstDeadline, member.deadline)
        }
        if !own { writer.raw(old.bytes[copied...]) }
        count = own ? members.count : old.count - removed.count
        return removed
    }
}

/// What became of a batch that was published.
package enum BatchOutcome: Sendable {
    /// The broker has it, in a queue.
    case taken
    /// It came back: no queue serves its lane.
    case returned
    /// The broker will never take it: it is too large.
    case refused
    /// The broker did not take it, as far as is known.
    case failed
}
