/// What a connection has sent and what has become of it, lane by lane (docs/internals/ARCHITECTURE.md).
///
/// Keeps order within a lane by having at most one batch of it on its way: what arrives meanwhile waits, and then goes all together. Lanes know
/// nothing of each other, but for the first message of a connection, before which nothing else leaves, and the last, which leaves when all else is
/// through.
///
/// Answers exactly once: by the worker's reply, or by `unavailable` when the deadline is over. A message whose deadline is over may still take
/// effect. So it holds up those behind it in its lane until the worker is through with it, or until it is given up. Only one that the worker
/// postpones holds up nothing: it gives up its place in the order, and keeps its claim to an answer.
///
/// Times are nanoseconds of a clock that never goes back.
package struct InFlight {
    /// What a worker's `done` means for the client.
    package enum Finish: Equatable {
        /// The reply, if there is one, goes to the client.
        case answer
        /// The client has been told `unavailable` already.
        case late
        /// Not one of ours, or finished before.
        case unknown
    }

    /// Where a message stands among those of all lanes.
    package enum Place: Equatable {
        /// Before all others: no other lane's message leaves before it is finished.
        case first
        /// Behind those of its lane.
        case ordinary
        /// Behind all others: it leaves when nothing of another lane is on its way, or waits. No other message may follow.
        case last
    }

    /// A message that is tried again later, and is not answered yet.
    private struct Postponed {
        var ordinal: Int
        var lane: Int
        var id: String?
        var deadline: Int
    }

    /// Those that have messages. Empty, and without memory of its own, when the connection is idle.
    private var lanes: [LaneInFlight] = []
    /// What the workers postponed.
    private var postponed: [Postponed] = []
    /// Messages count from 1, in the order in which they are sent, over all lanes.
    private var nextOrdinal = 1
    /// The lane of the first message of all, until that is finished.
    private var opening: Int?
    /// The last message of all, until nothing stands before it.
    private var last: (lane: Int, entry: LaneInFlight.Entry)?

    /// Lanes that were full, and have not been at half of that since, with the looks since then.
    private var strained: [(lane: Int, looks: Int)] = []

    /// Topics that the messages in it ask for.
    package private(set) var topics = 0

    /// Nothing on its way, nothing waiting, nothing postponed.
    package var isEmpty: Bool { lanes.isEmpty && postponed.isEmpty && last == nil }
    /// Messages wait that may leave now.
    package var canSend: Bool { lanes.contains(where: maySend) || isLastDue }
    /// Any of them has ever left; where none has, no worker knows of the connection.
    package var hasSent: Bool { nextOrdinal > 1 }
    /// Messages that wait.
    package var waiting: Int { lanes.reduce(last == nil ? 0 : 1) { $0 + $1.waiting } }
    /// Bytes of the messages that wait.
    package var waitingBytes: Int { lanes.reduce(0) { $0 + $1.waitingBytes } }
    /// Messages that neither a reply nor `unavailable` has answered.
    package var unanswered: Int { lanes.reduce(postponed.count) { $0 + $1.unanswered } }

    /// The last message that a worker may have looked at before it heard of another one's effect: of what is on its way, and of what is postponed.
    /// `nil` where there is none.
    ///
    /// - Parameter own: The ordinal of that other one, where this connection sent it: what is behind it in its lane's batch runs behind it.
    package func lastUnaware(of own: Int?) -> Int? {
        let sent = lanes.lazy.filter { $0.sent > 0 }.map(\.ordinals).map { ordinals in
            own.map(ordinals.contains) == true ? own : ordinals.upperBound - 1
        }
        return (sent.compactMap { $0 } + postponed.map(\.ordinal)).max()
    }

    package init() {}

    // MARK: In and out

    /// Takes a message in.
    package mutating func receive(
        _ message: Outgoing,
        lane: Int = 0,
        place: Place = .ordinary,
        bytes: Int,
        topics: Int = 0,
        id: String?,
        deadline: Int
    ) {
        let entry = LaneInFlight.Entry(message: message, id: id, bytes: bytes, topics: topics, deadline: deadline)
        self.topics += topics
        switch place {
        case .first: opening = lane
        case .ordinary: break
        case .last:
            last = (lane, entry)
            return
        }
        append(entry, to: lane)
    }

    /// Sends what waits, in order, of each lane that has nothing on its way and that `isOpen`.
    package mutating func send(
        to isOpen: (_ lane: Int) -> Bool = { _ in true },
        _ body: (_ message: Outgoing, _ id: String?, _ ordinal: Int, _ deadline: Int) -> Void
    ) {
        if isLastDue, let (lane, entry) = last {
            last = nil
            append(entry, to: lane)
        }
        for index in lanes.indices where maySend(lanes[index]) && isOpen(lanes[index].number) {
            lanes[index].forEachUnanswered(nextOrdinal, lanes[index].entries.indices, body)
            let count = lanes[index].send(from: nextOrdinal)
            nextOrdinal += count
        }
    }

    /// Sends again, in order, what is on its way and not answered, if its answers may be lost. The same ordinals: the first `done` of each counts.
    package func sendAgain(
        to isOpen: (_ lane: Int) -> Bool = { _ in true },
        _ body: (_ message: Outgoing, _ id: String?, _ ordinal: Int, _ deadline: Int) -> Void
    ) {
        for lane in lanes where lane.isDoubted && isOpen(lane.number) { lane.forEachUnanswered(lane.firstOrdinal, 0..<lane.sent, body) }
    }

    /// The worker is through with a message.
    package mutating func finish(_ ordinal: Int) -> Finish {
        close(ordinal)?.finish ?? .unknown
    }

    /// The worker tries a message again later: those behind it may go, and it still gets its answer.
    package mutating func postpone(_ ordinal: Int) {
        guard let (lane, place) = find(ordinal) else { return }
        let entry = lanes[lane].entries[place]
        if !entry.isAnswered {
            postponed.append(Postponed(ordinal: ordinal, lane: lanes[lane].number, id: entry.id, deadline: entry.deadline))
        }
        finishEntry(lane, place)
    }

    /// Nobody is there to be answered any more.
    package mutating func forgetPostponed() { postponed = [] }

    /// A message never reached a worker. Returns its `id` where the client is to be told so.
    package mutating func fail(_ ordinal: Int) -> (id: String?, tell: Bool) {
        guard let (finish, id) = close(ordinal) else { return (nil, false) }
        return (id, finish == .answer)
    }

    // MARK: Time

    /// Calls `answer` with the `id` of each message whose deadline is over; those that wait are not sent any more.
    package mutating func expire(now: Int, _ answer: (_ id: String?) -> Void) {
        for index in lanes.indices { topics -= lanes[index].expire(now: now, answer) }
        for message in postponed where message.deadline <= now { answer(message.id) }
        if !postponed.isEmpty { postponed.removeAll { $0.deadline <= now } }
        removeEmptyLanes()
    }

    /// What workers said of those on their way may be lost: past its deadline, none of them is waited for any longer.
    package mutating func doubt() { for index in lanes.indices { lanes[index].isDoubted = lanes[index].sent > 0 } }

    /// What is on its way in a lane.
    package struct Batch: Equatable {
        package var lane: Int
        /// Of all of it, what is finished too.
        package var ordinals: Range<Int>
    }

    /// Batches that have a message whose deadline has passed; each is told once.
    package mutating func overdue(now: Int) -> [Batch] {
        lanes.indices.compactMap { lanes[$0].isNewlyOverdue(now: now) ? Batch(lane: lanes[$0].number, ordinals: lanes[$0].ordinals) : nil }
    }

    /// Gives up what is on its way in lanes whose oldest message on its way has passed its deadline by more than `patience`: its `done` is lost.
    /// What waits behind it may go. Calls `answer` with the `id` of each of them that is not answered yet.
    ///
    /// - Parameter begin: No time before it counts: workers that were away are through with nothing sooner.
    package mutating func giveUp(now: Int, patience: Int, begin: Int = .min, _ answer: (_ id: String?) -> Void) -> [Batch] {
        var given: [Batch] = []
        for index in lanes.indices where lanes[index].isStuck(now: now, patience: patience, begin: begin) {
            given.append(Batch(lane: lanes[index].number, ordinals: lanes[index].ordinals))
            if lanes[index].ordinals.contains(1) { opening = nil }
            topics -= lanes[index].giveUp(answer)
        }
        removeEmptyLanes()
        return given
    }

    /// Another look at lanes that are full.
    package mutating func look() { for index in strained.indices { strained[index].looks = min(strained[index].looks + 1, Self.patience) } }

    // MARK: Room

    /// How much each lane may hold.
    package struct Limits: Equatable {
        /// Messages without an answer.
        package var messages: Int
        /// Bytes of messages that wait.
        package var bytes: Int
        /// There is one lane only: whoever fills it holds up nobody else.
        package var isAlone: Bool

        package init(messages: Int, bytes: Int, isAlone: Bool = true) {
            self.messages = messages
            self.bytes = bytes
            self.isAlone = isAlone
        }
    }

    /// Looks for which a full lane may hold back the client, where there are others.
    private static var patience: Int { 2 }

    /// Notes which lanes are full, and which of those that were are at half of that again. To be called after each change.
    ///
    /// - Parameter crowded: Lanes of which too much waits for the broker already.
    package mutating func weigh(_ limits: Limits, crowded: Set<Int>) {
        guard !limits.isAlone else { return }
        if strained.contains(where: { isAtHalf($0.lane, limits, crowded) }) {
            strained = strained.filter { !isAtHalf($0.lane, limits, crowded) }
        }
        for index in lanes.indices { strain(lanes[index].number, limits, crowded) }
        if postponed.count >= limits.messages { for message in postponed { strain(message.lane, limits, crowded) } }
    }

    private mutating func strain(_ lane: Int, _ limits: Limits, _ crowded: Set<Int>) {
        if isFull(lane, limits, crowded), !strained.contains(where: { $0.lane == lane }) { strained.append((lane, 0)) }
    }

    /// Whether a lane has all that it may hold, and has held back the client for long enough: what comes for it is to be refused.
    package func refuses(_ lane: Int, _ limits: Limits, crowded: Set<Int>) -> Bool {
        strained.contains { $0.lane == lane && $0.looks >= Self.patience } && isFull(lane, limits, crowded)
    }

    /// Whether the client is to be held back. The only lane does it for as long as it is full. One of several does it from then until it is at half,
    /// but not for long: the others must be heard.
    package func holdsBack(_ limits: Limits, crowded: Set<Int>) -> Bool {
        guard limits.isAlone else { return strained.contains { $0.looks < Self.patience } }
        return lanes.contains { isFull($0.number, limits, crowded) } || postponed.contains { isFull($0.lane, limits, crowded) }
    }

    private func isFull(_ lane: Int, _ limits: Limits, _ crowded: Set<Int>) -> Bool {
        let postponed = postponed.isEmpty ? 0 : postponed.count { $0.lane == lane }
        guard let lane = lanes.first(where: { $0.number == lane }) else { return postponed >= limits.messages }
        return lane.unanswered + postponed >= limits.messages || lane.waitingBytes >= limits.bytes
            || lane.waiting > 0 && crowded.contains(lane.number)
    }

    private func isAtHalf(_ number: Int, _ limits: Limits, _ crowded: Set<Int>) -> Bool {
        let postponed = postponed.isEmpty ? 0 : postponed.count { $0.lane == number }
        guard let lane = lanes.first(where: { $0.number == number }) else { return postponed <= limits.messages / 2 }
        return lane.unanswered + postponed <= limits.messages / 2 && lane.waitingBytes <= limits.bytes / 2
            && !(lane.waiting > 0 && crowded.contains(number))
    }

    // MARK: Steps

    private var isLastDue: Bool {
        guard let last else { return false }
        return lanes.allSatisfy { $0.number == last.lane && $0.sent == 0 }
    }

    private func maySend(_ lane: LaneInFlight) -> Bool {
        lane.sent == 0 && lane.waiting > 0 && (opening == nil || opening == lane.number)
    }

    private mutating func append(_ entry: LaneInFlight.Entry, to lane: Int) {
        if let index = lanes.firstIndex(where: { $0.number == lane }) {
            lanes[index].append(entry)
        } else {
            lanes.append(LaneInFlight(number: lane, first: entry))
        }
    }

    /// Where a message on its way is that is not finished.
    private func find(_ ordinal: Int) -> (lane: Int, place: Int)? {
        for index in lanes.indices {
            let place = ordinal - lanes[index].firstOrdinal
            if place >= 0, place < lanes[index].sent, !lanes[index].entries[place].isFinished { return (index, place) }
        }
        return nil
    }

    private mutating func close(_ ordinal: Int) -> (finish: Finish, id: String?)? {
        guard let (lane, place) = find(ordinal) else { return closePostponed(ordinal) }
        let (id, isAnswered) = (lanes[lane].entries[place].id, lanes[lane].entries[place].isAnswered)
        finishEntry(lane, place)
        return (isAnswered ? .late : .answer, id)
    }

    private mutating func closePostponed(_ ordinal: Int) -> (finish: Finish, id: String?)? {
        guard let index = postponed.firstIndex(where: { $0.ordinal == ordinal }) else { return nil }
        let message = postponed.remove(at: index)
        if postponed.isEmpty { postponed = [] }
        return (.answer, message.id)
    }

    /// Ends a message that is on its way; with the last of its batch the next may go.
    private mutating func finishEntry(_ lane: Int, _ place: Int) {
        if lanes[lane].firstOrdinal + place == 1 { opening = nil }
        topics -= lanes[lane].finish(place)
        if lanes[lane].entries.isEmpty { lanes.remove(at: lane) }
        if lanes.isEmpty { lanes = [] }
    }

    private mutating func removeEmptyLanes() {
        guard lanes.contains(where: { $0.entries.isEmpty }) else { return }
        lanes.removeAll { $0.entries.isEmpty }
        if lanes.isEmpty { lanes = [] }
    }
}
