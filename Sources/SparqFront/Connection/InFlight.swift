/// What a connection has sent and what has become of it.
///
/// Keeps order by having at most one batch on its way: what arrives meanwhile waits, and then goes all together. Answers exactly once: by
/// the worker's reply, or by `unavailable` when the deadline is over. A message whose deadline is over still holds up those behind it
/// until the worker is through with it, because it may still take effect. Only one that the worker postpones holds up nothing: it gives
/// up its place in the order, and keeps its claim to an answer.
///
/// Times are nanoseconds of a clock that never goes back.
struct InFlight<Message> {
    /// What a worker's `done` means for the client.
    enum Finish: Equatable {
        /// The reply, if there is one, goes to the client.
        case answer
        /// The client has been told `unavailable` already.
        case late
        /// Not one of ours, or finished before.
        case unknown
    }

    private struct Entry {
        /// Until it is answered: it may have to be sent again.
        var message: Message?
        var id: String?
        var bytes: Int
        var topics: Int
        var deadline: Int
        var isAnswered = false
        var isFinished = false
    }

    /// A message that is tried again later, and is not answered yet.
    private struct Postponed {
        var ordinal: Int
        var id: String?
        var deadline: Int
    }

    /// First those on their way, then those that wait. Empty, and without memory of its own, when the connection is idle.
    private var entries: [Entry] = []
    /// What the worker postponed.
    private var postponed: [Postponed] = []
    /// How many of `entries` are on their way.
    private var sent = 0
    /// How many of those the worker is not through with.
    private var unfinished = 0
    /// The ordinal of the first entry, once sent. Ordinals count from 1.
    private var firstOrdinal = 1
    /// Messages that neither a reply nor `unavailable` has answered.
    private(set) var unanswered = 0
    /// Bytes of the messages that wait.
    private(set) var waitingBytes = 0

    /// The `done`s of those on their way may be lost.
    private var isDoubted = false

    /// Topics that the messages in it ask for.
    private(set) var topics = 0

    /// Nothing on its way, nothing waiting, nothing postponed.
    var isEmpty: Bool { entries.isEmpty && postponed.isEmpty }
    /// Messages wait, and nothing is on its way.
    var canSend: Bool { sent == 0 && !entries.isEmpty }
    /// Any of them has ever left; where none has, no worker knows of the connection.
    var hasSent: Bool { sent > 0 || firstOrdinal > 1 }
    /// Messages that wait.
    var waiting: Int { entries.count - sent }
    /// The ordinals of what was sent together and is not all through yet; empty, behind the last one, where nothing is on its way.
    var ordinalsSent: Range<Int> { firstOrdinal..<(firstOrdinal + sent) }
    /// Workers try something again later.
    var isPostponing: Bool { !postponed.isEmpty }

    /// Takes a message in.
    mutating func receive(_ message: Message, bytes: Int, topics: Int = 0, id: String?, deadline: Int) {
        entries.append(Entry(message: message, id: id, bytes: bytes, topics: topics, deadline: deadline))
        self.topics += topics
        unanswered += 1
        waitingBytes += bytes
    }

    /// Sends all that waits, in order, if nothing is on its way.
    mutating func send(_ body: (_ message: Message, _ id: String?, _ ordinal: Int, _ deadline: Int) -> Void) {
        guard sent == 0 else { return }
        forEachUnanswered(entries.indices, body)
        sent = entries.count
        unfinished = sent
        waitingBytes = 0
    }

    /// Sends again, in order, what is on its way and not answered, if its answers may be lost. The same ordinals: the first `done` of each counts.
    func sendAgain(_ body: (_ message: Message, _ id: String?, _ ordinal: Int, _ deadline: Int) -> Void) {
        if isDoubted { forEachUnanswered(0..<sent, body) }
    }

    private func forEachUnanswered(_ range: Range<Int>, _ body: (Message, String?, Int, Int) -> Void) {
        for index in range {
            guard let message = entries[index].message else { continue }
            body(message, entries[index].id, firstOrdinal + index, entries[index].deadline)
        }
    }

    /// The worker is through with a message.
    mutating func finish(_ ordinal: Int) -> Finish {
        close(ordinal)?.finish ?? .unknown
    }

    /// The worker tries a message again later: those behind it may go, and it still gets its answer.
    mutating func postpone(_ ordinal: Int) {
        let index = ordinal - firstOrdinal
        guard index >= 0, index < sent, !entries[index].isFinished else { return }
        let entry = entries[index]
        if !entry.isAnswered { postponed.append(Postponed(ordinal: ordinal, id: entry.id, deadline: entry.deadline)) }
        finishEntry(at: index)
    }

    /// Nobody is there to be answered any more.
    mutating func forgetPostponed() {
        unanswered -= postponed.count
        postponed = []
    }

    /// A message never reached a worker. Returns its `id` where the client is to be told so.
    mutating func fail(_ ordinal: Int) -> (id: String?, tell: Bool) {
        guard let (finish, id) = close(ordinal) else { return (nil, false) }
        return (id, finish == .answer)
    }

    /// Calls `answer` with the `id` of each message whose deadline is over; those that wait are not sent any more.
    mutating func expire(now: Int, _ answer: (_ id: String?) -> Void) {
        guard unanswered > 0 else { return }
        for index in 0..<sent where !entries[index].isAnswered && entries[index].deadline <= now {
            entries[index].isAnswered = true
            entries[index].message = nil
            unanswered -= 1
            answer(entries[index].id)
        }
        for message in postponed where message.deadline <= now {
            unanswered -= 1
            answer(message.id)
        }
        if !postponed.isEmpty { postponed.removeAll { $0.deadline <= now } }
        // All have the same patience, so those that are over stand in front.
        while sent < entries.count, entries[sent].deadline <= now {
            let entry = entries.remove(at: sent)
            unanswered -= 1
            waitingBytes -= entry.bytes
            topics -= entry.topics
            answer(entry.id)
        }
    }

    /// What workers said of those on their way may be lost: past its deadline, none of them is waited for any longer.
    mutating func doubt() { isDoubted = sent > 0 }

    /// Whether the oldest message on its way has passed its deadline by more than `patience`: its `done` is lost. No time before `begin` counts:
    /// workers that were away are through with it no sooner.
    func isStuck(now: Int, patience: Int, begin: Int = .min) -> Bool {
        guard sent > 0, let entry = entries[..<sent].first(where: { !$0.isFinished }) else { return false }
        return max(entry.deadline, begin) + (isDoubted ? 0 : patience) <= now
    }

    private mutating func close(_ ordinal: Int) -> (finish: Finish, id: String?)? {
        let index = ordinal - firstOrdinal
        guard index >= 0, index < sent, !entries[index].isFinished else { return closePostponed(ordinal) }
        let entry = entries[index]
        if !entry.isAnswered { unanswered -= 1 }
        finishEntry(at: index)
        return (entry.isAnswered ? .late : .answer, entry.id)
    }

    private mutating func closePostponed(_ ordinal: Int) -> (finish: Finish, id: String?)? {
        guard let index = postponed.firstIndex(where: { $0.ordinal == ordinal }) else { return nil }
        let message = postponed.remove(at: index)
        if postponed.isEmpty { postponed = [] }
        unanswered -= 1
        return (.answer, message.id)
    }

    /// Ends an entry that is on its way; with the last of them the next may go.
    private mutating func finishEntry(at index: Int) {
        entries[index].isFinished = true
        entries[index].isAnswered = true
        entries[index].message = nil
        unfinished -= 1
        topics -= entries[index].topics
        if unfinished == 0 {
            firstOrdinal += sent
            if sent == entries.count { entries = [] } else { entries.removeFirst(sent) }
            sent = 0
            isDoubted = false
        }
    }
}
