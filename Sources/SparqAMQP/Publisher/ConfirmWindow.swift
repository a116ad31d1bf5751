internal import DequeModule

/// Which publishes wait, which are on their way, and which are settled, as a value.
///
/// Publishes are written in the order of their ids, which ascend. At most `limit` are unconfirmed. After a broken channel or connection
/// the unconfirmed ones go back to the front, in order. If the broker closed the channel because of one of them, nobody knows which: they
/// then go one at a time, until the one that is alone when the channel closes again is known to be the culprit.
struct ConfirmWindow<Payload> {
    struct Entry {
        let id: UInt64
        let payload: Payload
        /// What a confirm will mean for it.
        var outcome = PublishOutcome.confirmed
        /// Nobody waits for it any more.
        var isAbandoned = false
    }

    let limit: Int
    private var lastID: UInt64 = 0
    private var waiting = Deque<Entry>()
    /// By delivery tag, from `firstTag`; nil where settled out of order. The first is never nil.
    private var inFlight = Deque<Entry?>()
    private var firstTag: UInt64 = 1
    /// Entries up to this id may be what the broker refused.
    private var suspectsUpTo: UInt64 = 0

    init(limit: Int) { self.limit = max(1, limit) }

    /// Neither waiting nor on its way.
    var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty }
    private(set) var unconfirmedCount = 0

    /// Puts a publish at the end of the row.
    mutating func submit(_ payload: Payload) -> UInt64 {
        lastID += 1
        waiting.append(Entry(id: lastID, payload: payload))
        return lastID
    }

    /// The next one to be written, nil if there is none or the window is full. Its delivery tag is one above the last one's.
    mutating func next() -> Entry? {
        guard let first = waiting.first, unconfirmedCount < limit, inFlight.count < limit * 2 else { return nil }
        if unconfirmedCount > 0, first.id <= suspectsUpTo || hasSuspectInFlight { return nil }
        waiting.removeFirst()
        inFlight.append(first)
        unconfirmedCount += 1
        return first
    }

    private var hasSuspectInFlight: Bool {
        guard let first = inFlight.first, let first else { return false }
        return first.id <= suspectsUpTo
    }

    /// `basic.return` for the publish with this id; its confirm follows.
    mutating func returned(id: UInt64, _ outcome: PublishOutcome) {
        guard let index = indexInFlight(id) else { return }
        inFlight[index]?.outcome = outcome
    }

    /// `basic.ack` or `basic.nack`. Appends the entries that it settles and somebody waits for.
    mutating func settle(tag: UInt64, multiple: Bool, into settled: inout [Entry]) {
        guard tag >= firstTag, tag - firstTag < UInt64(inFlight.count) else { return }
        let last = Int(tag - firstTag)
        for index in (multiple ? 0 : last)...last {
            guard let entry = inFlight[index] else { continue }
            inFlight[index] = nil
            unconfirmedCount -= 1
            if !entry.isAbandoned { settled.append(entry) }
        }
        while let first = inFlight.first, first == nil {
            inFlight.removeFirst()
            firstTag += 1
        }
    }

    /// The connection broke: everything unconfirmed waits again. Delivery tags start anew.
    mutating func lost() {
        while let last = inFlight.popLast() {
            if let entry = last, !entry.isAbandoned {
                waiting.prepend(Entry(id: entry.id, payload: entry.payload))
            }
        }
        unconfirmedCount = 0
        firstTag = 1
    }

    /// As ``lost()``, where the broker refused one of the unconfirmed. Returns that one, if it can be told and somebody waits for it.
    /// - Parameter isExcused: whether what was missing for a publish is there now, so that it cannot be refused again.
    mutating func refused(excusing isExcused: (Payload) -> Bool = { _ in false }) -> Entry? {
        var culprit: Entry?
        let suspects = inFlight.indices.filter { index in inFlight[index].map { !isExcused($0.payload) } ?? false }
        if let last = suspects.last, let newest = inFlight[last] {
            if unconfirmedCount == 1 {
                culprit = newest
                inFlight.removeAll()
            } else {
                suspectsUpTo = max(suspectsUpTo, newest.id)
            }
        }
        lost()
        return culprit.flatMap { $0.isAbandoned ? nil : $0 }
    }

    /// Nobody waits any more for the publish with this id. Returns it, unless it is settled already. One that is on its way may still
    /// arrive; one that waits is not sent.
    mutating func abandon(id: UInt64) -> Entry? {
        if let index = indexInFlight(id) {
            guard let entry = inFlight[index], !entry.isAbandoned else { return nil }
            inFlight[index]?.isAbandoned = true
            return entry
        }
        let index = waiting.partitioningIndex { $0.id >= id }
        guard index < waiting.count, waiting[index].id == id else { return nil }
        return waiting.remove(at: index)
    }

    /// Abandons everything that `isOverdue`.
    mutating func abandonAll(where isOverdue: (Payload) -> Bool) -> [Entry] {
        var abandoned: [Entry] = []
        for index in inFlight.indices {
            guard let entry = inFlight[index], !entry.isAbandoned, isOverdue(entry.payload) else { continue }
            inFlight[index]?.isAbandoned = true
            abandoned.append(entry)
        }
        waiting.removeAll { entry in
            guard isOverdue(entry.payload) else { return false }
            abandoned.append(entry)
            return true
        }
        return abandoned
    }

    /// The end: takes everything that somebody waits for.
    mutating func removeAll() -> [Entry] {
        lost()
        defer { waiting.removeAll() }
        return Array(waiting)
    }

    private func indexInFlight(_ id: UInt64) -> Int? {
        // Settled ones are holes without an id, so this is a walk; it is done for returns and cancellations only.
        inFlight.firstIndex { $0?.id == id }
    }
}

extension ConfirmWindow.Entry: Sendable where Payload: Sendable {}

extension Deque {
    /// The first index whose element fulfils a condition that all later ones fulfil too.
    fileprivate func partitioningIndex(where isAfter: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isAfter(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
