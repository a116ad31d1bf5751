internal import DequeModule

/// Which deliveries of a channel are not settled yet, as a value.
///
/// Turns many single acks into few frames: what is acked without a gap from the oldest on becomes one `multiple`. Never settles a tag twice,
/// which the broker would answer by closing the channel.
struct AckLedger {
    enum Kind: Equatable, Sendable {
        case ack
        case nack(requeue: Bool)
        case reject(requeue: Bool)
    }

    struct Settlement: Equatable, Sendable {
        var kind: Kind
        var tag: UInt64
        var multiple: Bool
    }

    private enum Mark {
        case outstanding
        /// An ack was asked for and not written yet.
        case acked
        case settled
    }

    /// By tag, from `firstTag`; the first is never settled.
    private var marks = Deque<Mark>()
    private var firstTag: UInt64 = 1
    /// Acked and not written.
    private var unwritten: [UInt64] = []
    /// How many deliveries wait for a word about them.
    private(set) var outstandingCount = 0

    /// The broker numbers deliveries one by one.
    mutating func delivered(_ tag: UInt64) {
        guard tag == firstTag + UInt64(marks.count) else { return }
        marks.append(.outstanding)
        outstandingCount += 1
    }

    /// Takes a settlement; appends to `frames` what must be written right away. Acks are held until ``flush(into:)``.
    mutating func settle(_ settlement: Settlement, into frames: inout [Settlement]) {
        let end = firstTag + UInt64(marks.count)
        guard settlement.tag >= firstTag, settlement.tag < end else { return }
        if settlement.kind == .ack {
            for tag in (settlement.multiple ? firstTag : settlement.tag)...settlement.tag where mark(tag, .acked) { unwritten.append(tag) }
        } else if settlement.multiple {
            // The broker would take acks that it has not seen yet as meant by this one.
            flush(into: &frames)
            guard settlement.tag >= firstTag else { return }
            var last: UInt64?
            for tag in firstTag...settlement.tag where mark(tag, .settled) { last = tag }
            if let last { frames.append(Settlement(kind: settlement.kind, tag: last, multiple: true)) }
            trim()
        } else if mark(settlement.tag, .settled) {
            frames.append(settlement)
            trim()
        }
    }

    /// Appends the acks that were held, in as few frames as possible.
    mutating func flush(into frames: inout [Settlement]) {
        guard !unwritten.isEmpty else { return }
        var last: UInt64?
        var count = 0
        while let mark = marks.first, mark != .outstanding {
            if mark == .acked {
                last = firstTag
                count += 1
            }
            marks.removeFirst()
            firstTag += 1
        }
        if let last { frames.append(Settlement(kind: .ack, tag: last, multiple: count > 1)) }
        for tag in unwritten where tag >= firstTag {
            frames.append(Settlement(kind: .ack, tag: tag, multiple: false))
            marks[Int(tag - firstTag)] = .settled
        }
        unwritten.removeAll(keepingCapacity: true)
    }

    private mutating func mark(_ tag: UInt64, _ mark: Mark) -> Bool {
        let index = Int(tag - firstTag)
        guard marks[index] == .outstanding else { return false }
        marks[index] = mark
        outstandingCount -= 1
        return true
    }

    private mutating func trim() {
        while marks.first == .settled {
            marks.removeFirst()
            firstTag += 1
        }
    }
}
