/// What a connection has sent in one lane: a batch on its way, and what waits behind it.
struct LaneInFlight {
    struct Entry {
        /// Until it is answered: it may have to be sent again.
        var message: Outgoing?
        var id: String?
        var bytes: Int
        var topics: Int
        /// Nanoseconds of a clock that never goes back.
        var deadline: Int
        var isAnswered = false
        var isFinished = false
    }

    /// The lane's place among all.
    let number: Int
    /// First those on their way, then those that wait.
    private(set) var entries: [Entry]
    /// How many of `entries` are on their way.
    private(set) var sent = 0
    /// How many of those the worker is not through with.
    private var unfinished = 0
    /// The ordinal of the first one on its way.
    private(set) var firstOrdinal = 0
    /// Messages that neither a reply nor `unavailable` has answered.
    private(set) var unanswered = 1
    /// Bytes of the messages that wait.
    private(set) var waitingBytes: Int
    /// The `done`s of those on their way may be lost.
    var isDoubted = false
    /// It was told that what is on its way is over its deadline.
    private var isToldOverdue = false

    init(number: Int, first: Entry) {
        self.number = number
        entries = [first]
        waitingBytes = first.bytes
    }

    /// Messages that wait.
    var waiting: Int { entries.count - sent }
    /// Of those on their way.
    var ordinals: Range<Int> { firstOrdinal..<firstOrdinal + sent }

    mutating func append(_ entry: Entry) {
        entries.append(entry)
        unanswered += 1
        waitingBytes += entry.bytes
    }

    /// All that waits is on its way from now on. Returns how many that are.
    mutating func send(from ordinal: Int) -> Int {
        firstOrdinal = ordinal
        sent = entries.count
        unfinished = sent
        waitingBytes = 0
        isToldOverdue = false
        return sent
    }

    /// - Parameter first: The ordinal of the first entry.
    func forEachUnanswered(_ first: Int, _ range: Range<Int>, _ body: (Outgoing, String?, Int, Int) -> Void) {
        for index in range {
            guard let message = entries[index].message else { continue }
            body(message, entries[index].id, first + index, entries[index].deadline)
        }
    }

    /// Ends an entry that is on its way; with the last of them all are removed. Returns how many topics it asked for.
    mutating func finish(_ place: Int) -> Int {
        let topics = entries[place].topics
        if !entries[place].isAnswered { unanswered -= 1 }
        entries[place].isFinished = true
        entries[place].isAnswered = true
        entries[place].message = nil
        unfinished -= 1
        if unfinished == 0 {
            if sent == entries.count { entries = [] } else { entries.removeFirst(sent) }
            sent = 0
            isDoubted = false
        }
        return topics
    }

    /// Calls `answer` with the `id` of each message whose deadline is over, and removes those of them that wait. Returns how many topics these asked
    /// for.
    mutating func expire(now: Int, _ answer: (_ id: String?) -> Void) -> Int {
        guard unanswered > 0 else { return 0 }
        for index in 0..<sent where !entries[index].isAnswered && entries[index].deadline <= now {
            entries[index].isAnswered = true
            entries[index].message = nil
            unanswered -= 1
            answer(entries[index].id)
        }
        // All have the same patience, so those that are over stand in front.
        var topics = 0
        var end = sent
        while end < entries.count, entries[end].deadline <= now {
            unanswered -= 1
            waitingBytes -= entries[end].bytes
            topics += entries[end].topics
            answer(entries[end].id)
            end += 1
        }
        if end > sent { entries.removeSubrange(sent..<end) }
        return topics
    }

    /// Whether the oldest message on its way has passed its deadline, and nobody was told yet.
    mutating func isNewlyOverdue(now: Int) -> Bool {
        guard !isToldOverdue, isStuck(now: now, patience: 0, begin: .min) else { return false }
        isToldOverdue = true
        return true
    }

    /// Whether the oldest message on its way has passed its deadline by more than `patience`, which where answers may be lost is nothing.
    func isStuck(now: Int, patience: Int, begin: Int) -> Bool {
        guard sent > 0, let entry = entries[..<sent].first(where: { !$0.isFinished }) else { return false }
        // Nobody waits for the last message of a connection.
        guard entry.deadline < .max - patience else { return false }
        return max(entry.deadline, begin) + (isDoubted ? 0 : patience) <= now
    }

    /// Gives up what is on its way. Calls `answer` with the `id` of each message that is not answered yet. Returns how many topics they asked for.
    mutating func giveUp(_ answer: (_ id: String?) -> Void) -> Int {
        var topics = 0
        for entry in entries[..<sent] where !entry.isFinished {
            topics += entry.topics
            if entry.isAnswered { continue }
            unanswered -= 1
            answer(entry.id)
        }
        entries.removeFirst(sent)
        (sent, unfinished, isDoubted) = (0, 0, false)
        return topics
    }
}

/// A message of a connection on its way to the workers; its `id` is beside it.
package struct Outgoing: Sendable {
    package var type: String
    /// When it came: milliseconds since the Unix epoch.
    package var receivedAt: Int
    package var message: [UInt8]
    /// Topics that it asked for and that the front refused.
    package var refused: [String]
    /// The front's own question for the client's topics: the client hears nothing of it.
    package var isSilent: Bool

    package init(type: String, receivedAt: Int, message: [UInt8], refused: [String] = [], isSilent: Bool = false) {
        self.type = type
        self.receivedAt = receivedAt
        self.message = message
        self.refused = refused
        self.isSilent = isSilent
    }
}
