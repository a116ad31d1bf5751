import SparqWire
import Synchronization

/// The messages of one connection that came together, on their way through their handlers, in order.
///
/// One task at a time works on them; it has a number. Where a handler does not end in its time, another task goes on with what is behind it
/// (``HandlerWatch``), and what the first one does then counts no more.
final class ConnectionRun: Sendable {
    /// Another task goes on with the messages.
    struct Superseded: Error {}

    /// A handler, or a policy, at work. What it waits for its turn at the database does not count as its time, up to its limit once more.
    private struct Work {
        var mark: Int
        var began: ContinuousClock.Instant
        var limit: Duration
        var waited: Duration = .zero

        func end(waitingSince start: ContinuousClock.Instant?, now: ContinuousClock.Instant) -> Overdue? {
            let all = now - began
            let waited = waited + (start.map { now - max($0, began) } ?? .zero)
            if all - waited >= limit { return Overdue(limit: limit, hasWaited: false) }
            return all >= limit * 2 ? Overdue(limit: limit, hasWaited: true) : nil
        }
    }

    /// The time of a handler's work is over.
    struct Overdue {
        let limit: Duration
        /// It is not at fault: it waited for its turn at the database for so long as it may run.
        let hasWaited: Bool
    }

    /// A message whose handler may be at work, and since when.
    struct Entry {
        var type: String
        /// `nil` while it waits for what was before it to be committed: then its handler is not slow.
        var since: ContinuousClock.Instant?
        /// It holds a slot of its batch's (``Admission``), and its copies know of it (``Copies``).
        var holdsSlot: Bool
    }

    private struct State {
        var owner = 0
        var task: Task<Void, Never>?
        /// The place behind the message that is worked on.
        var next = 0
        var outcomes: [MessageOutcome] = []
        var works: [Work] = []
        /// How many of its reads wait for their turn, and since when some have.
        var waits = 0
        var waitingSince: ContinuousClock.Instant?
        var entry: Entry?
        /// Some handler of it had to wait for something.
        var hasSuspended = false
        var lastMark = 0
        var isOver = false

        func overdue(now: ContinuousClock.Instant) -> Overdue? {
            for work in works { if let end = work.end(waitingSince: waitingSince, now: now) { return end } }
            return nil
        }
    }

    /// What has to be done when all is through, in place of going on together with the rest of the batch: with the outcomes, and whether all of it is
    /// through or the rest is left to the broker.
    typealias End = @Sendable (_ outcomes: [MessageOutcome], _ isWhole: Bool) -> Void

    let envelopes: [Envelope]
    /// One part of it is open for these messages.
    let batch: InboundBatch
    /// Takes what can go on together with others of the batch.
    let gathering: Gathering?
    let memo: LoadMemo?
    /// The batch has one message only.
    let isOnlyOfBatch: Bool
    let onEnd: End?
    /// Called each time that a handler's or a policy's code begins.
    private let onBegin: (@Sendable () -> Void)?
    private let state = Mutex(State())

    init(_ envelopes: [Envelope], batch: InboundBatch, gathering: Gathering) {
        self.envelopes = envelopes
        self.batch = batch
        self.gathering = gathering
        memo = envelopes.count > 1 ? LoadMemo() : nil
        isOnlyOfBatch = gathering.isOnlyOfBatch
        onEnd = nil
        onBegin = nil
    }

    /// One message that is worked on apart.
    init(alone envelope: Envelope, batch: InboundBatch, onBegin: (@Sendable () -> Void)? = nil, onEnd: @escaping End) {
        envelopes = [envelope]
        self.batch = batch
        gathering = nil
        memo = nil
        isOnlyOfBatch = true
        self.onEnd = onEnd
        self.onBegin = onBegin
    }

    /// It is worked on apart from what its AMQP message was in, and takes none of the slots of others.
    var isApart: Bool { onEnd != nil }

    // MARK: The task at work

    /// The next message; `nil` behind the last.
    func take(_ owner: Int) throws(Superseded) -> Envelope? {
        try withState(of: owner) { state in
            guard state.next < envelopes.count else { return nil }
            state.next += 1
            return envelopes[state.next - 1]
        }
    }

    /// Keeps an outcome; returns how many there are.
    @discardableResult
    func add(_ outcome: MessageOutcome, _ owner: Int) throws(Superseded) -> Int {
        try withState(of: owner) { state in
            state.outcomes.append(outcome)
            return state.outcomes.count
        }
    }

    /// What has been kept. It is kept no longer.
    func takeOutcomes(_ owner: Int) throws(Superseded) -> [MessageOutcome] {
        try withState(of: owner) { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Ends it; returns what is left of its outcomes, or `nil` where another task goes on.
    func end(_ owner: Int) -> [MessageOutcome]? {
        try? withState(of: owner) { state in
            state.isOver = true
            state.task = nil
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    /// Runs a handler's or a policy's code, which has so much time. Any number of them at once.
    ///
    /// - Throws: What the body throws; ``Superseded`` where its time was over before.
    func limited<Value>(_ limit: Duration, _ owner: Int, _ body: () async throws -> Value) async throws -> Value {
        let mark = try begins(limit, owner)
        onBegin?()
        let result: Result<Value, any Error>
        do { result = .success(try await body()) } catch { result = .failure(error) }
        try ends(mark, owner)
        return try result.get()
    }

    private func begins(_ limit: Duration, _ owner: Int) throws(Superseded) -> Int {
        try withState(of: owner) { state in
            state.lastMark += 1
            state.works.append(Work(mark: state.lastMark, began: .now, limit: limit))
            return state.lastMark
        }
    }

    private func ends(_ mark: Int, _ owner: Int) throws(Superseded) {
        try withState(of: owner) { state in state.works.removeAll { $0.mark == mark } }
    }

    /// One of its reads begins to wait for its turn, or waits no longer.
    func waits(_ begins: Bool, _ owner: Int, now: ContinuousClock.Instant = .now) {
        try? withState(of: owner) { state in
            state.waits += begins ? 1 : -1
            if begins, state.waits == 1 { state.waitingSince = now }
            if !begins, state.waits == 0, let start = state.waitingSince.take() {
                for place in state.works.indices { state.works[place].waited += max(.zero, now - max(start, state.works[place].began)) }
            }
        }
    }

    /// The message begins, and holds a slot.
    func entered(_ type: String, _ owner: Int) throws(Superseded) {
        try withState(of: owner) { $0.entry = Entry(type: type, since: .now, holdsSlot: true) }
    }

    /// The message begins without a slot. False where it must have one: what comes after a wait of its connection's.
    func enteredWithoutSlot(_ type: String, _ owner: Int) throws(Superseded) -> Bool {
        try withState(of: owner) { state in
            if state.hasSuspended { return false }
            state.entry = Entry(type: type, since: .now, holdsSlot: false)
            return true
        }
    }

    /// It waits for what was before it to be committed, or has done so.
    func waitsForCommit(_ begins: Bool, _ owner: Int) throws(Superseded) {
        try withState(of: owner) { $0.entry?.since = begins ? nil : .now }
    }

    /// The message is through. False where it holds no slot, or not any more.
    func left(_ owner: Int) -> Bool { (try? withState(of: owner) { $0.entry.take()?.holdsSlot ?? false }) ?? false }

    /// Throws where another task goes on: then nothing may be changed any more.
    func check(_ owner: Int) throws(Superseded) { try withState(of: owner) { _ in } }

    private func withState<Value: Sendable>(of owner: Int, _ body: (inout State) -> Value) throws(Superseded) -> Value {
        let value: Value? = state.withLock { state in state.owner == owner ? body(&state) : nil }
        guard let value else { throw Superseded() }
        return value
    }

    // MARK: Others

    var isOver: Bool { state.withLock { $0.isOver } }

    /// Whether it had to wait for something.
    var hasWaited: Bool { state.withLock { $0.task != nil } }

    /// The message that is worked on.
    var current: Envelope? { state.withLock { $0.isOver || $0.next == 0 ? nil : envelopes[$0.next - 1] } }

    /// Which task works on it, so that it can be cancelled.
    func started(_ task: Task<Void, Never>, as owner: Int = 0) {
        state.withLock { state in if !state.isOver, state.owner == owner { state.task = task } }
    }

    func cancel() { state.withLock { $0.task }?.cancel() }

    /// Its task goes on elsewhere, because a handler had to wait for something.
    ///
    /// - Parameter take: Takes a slot for the message that has none.
    func suspended(_ take: (Envelope) -> Void) {
        state.withLock { state in
            state.hasSuspended = true
            guard state.entry?.holdsSlot == false else { return }
            state.entry?.holdsSlot = true
            take(envelopes[state.next - 1])
        }
    }

    /// What its message holds a slot for.
    var entry: Entry? { state.withLock { $0.entry } }

    /// How long the oldest of its handler's works has lasted; `nil` where none is at work.
    func age(now: ContinuousClock.Instant) -> Duration? { state.withLock { $0.works.first.map { now - $0.began } } }

    /// The whole database was away for so long: all that is at work has waited.
    func databaseWasAway(for duration: Duration, now: ContinuousClock.Instant) {
        state.withLock { state in
            guard state.waits == 0 else { return }
            for place in state.works.indices { state.works[place].waited += min(duration, now - state.works[place].began) }
        }
    }

    /// The work whose time is over, if there is one.
    func overdue(now: ContinuousClock.Instant) -> Overdue? { state.withLock { $0.overdue(now: now) } }

    /// Takes it from its task, so that another one can go on: returns that one's number, the task, and whether its message held a slot, which it does
    /// no longer. `nil` where nothing is overdue any more, or the handler blocks the thread that began it, so that there is no task yet.
    func supersede(now: ContinuousClock.Instant) -> (owner: Int, task: Task<Void, Never>, heldSlot: Bool)? {
        state.withLock { state in
            guard !state.isOver, state.overdue(now: now) != nil, let task = state.task.take() else { return nil }
            state.owner += 1
            state.works = []
            state.waits = 0
            state.waitingSince = nil
            return (state.owner, task, state.entry.take()?.holdsSlot == true)
        }
    }
}
