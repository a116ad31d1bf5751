import Dispatch
import FaultLog
import Logging
import SparqWire
import Synchronization

/// Looks at what handlers run, several times a second: takes the messages from those that do not end in their time, names them in the log, and says
/// whether the worker gets on.
///
/// It has a thread of its own, since handlers may block all others.
final class HandlerWatch: Sendable {
    /// Goes on with a connection's messages behind one whose handler did not end.
    typealias GoOn = @Sendable (_ run: ConnectionRun, _ owner: Int, _ failure: any Error) async -> Void

    private struct State {
        var runs: [ConnectionRun] = []
        var strays = 0
        var lookedAt: ContinuousClock.Instant?
        var goOn: GoOn?
        var isEnding = false
    }

    /// A handler that has been at work for so long is slow, with its wait for a database connection.
    private static let slow: Duration = .milliseconds(500)
    /// Where all slots are held by handlers that have been at work for so long, nothing gets on.
    private static let standstill: Duration = .seconds(5)

    let copies = Copies()
    let admission: Admission
    private let slots: Int
    private let strayLimit: Int
    private let interval: Duration
    private let late: FaultLog
    private let stuck: FaultLog
    private let waited: FaultLog
    private let isDatabaseAway: @Sendable () -> Bool
    private let onProgress: @Sendable (Bool) -> Void
    private let queue = DispatchQueue(label: "sparq.handlers")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - slots: How many AMQP messages the worker holds at once.
    ///   - strays: How many handlers may go on without a slot.
    ///   - isDatabaseAway: There is no connection to the database: all that handlers do waits for one.
    ///   - onProgress: Whether the worker gets on; called several times a second.
    init(
        slots: Int,
        strays: Int,
        interval: Duration = .milliseconds(100),
        logger: Logger,
        isDatabaseAway: @escaping @Sendable () -> Bool,
        onProgress: @escaping @Sendable (Bool) -> Void
    ) {
        self.slots = max(1, slots)
        strayLimit = max(0, strays)
        self.interval = interval
        self.isDatabaseAway = isDatabaseAway
        self.onProgress = onProgress
        admission = Admission(slots: slots)
        late = FaultLog(logger)
        stuck = FaultLog(logger)
        waited = FaultLog(logger)
    }

    /// Looks from now on.
    func begin(_ goOn: @escaping GoOn) {
        state.withLock { $0.goOn = goOn }
        plan()
    }

    /// Works on a connection's messages in a task of its own, which begins here and now: where nothing has to be waited for, they are through when
    /// this returns.
    func start(_ run: ConnectionRun, on executor: (any TaskExecutor)? = nil, _ work: @escaping @Sendable () async -> Void) {
        state.withLock { $0.runs.append(run) }
        let task = Task.immediate(executorPreference: executor) { await work() }
        if run.isOver { return }
        run.suspended { envelope in
            if !run.isApart { admission.take(envelope.type, run.batch) }
            copies.add(envelope, in: run)
        }
        started(task, run)
    }

    /// From here on ``cancel()`` finds the task. Where it came before, it found none.
    private func started(_ task: Task<Void, Never>, _ run: ConnectionRun, as owner: Int = 0) {
        run.started(task, as: owner)
        if state.withLock({ $0.isEnding }) { task.cancel() }
    }

    /// Cancels all that is at work, and waits a moment for its end.
    func end(within patience: Duration) async {
        cancel()
        let end = ContinuousClock.now + patience
        while state.withLock({ $0.runs.contains { !$0.isOver } }), .now < end {
            // Apart from this task, which may be cancelled itself.
            await Task.detached { try? await Task.sleep(for: .milliseconds(2)) }.value
        }
    }

    /// Cancels all that is at work, and looks no more.
    func cancel() {
        let runs = state.withLock { state in
            state.isEnding = true
            // It holds what holds this.
            state.goOn = nil
            return state.runs
        }
        for run in runs { run.cancel() }
        admission.close()
    }

    /// Nothing that is at work has to wait for anything.
    var isQuiet: Bool { admission.isQuiet && copies.isQuiet }

    /// A message that held a slot does so no longer.
    func left(_ envelope: Envelope, _ run: ConnectionRun) {
        if !run.isApart { admission.leave(envelope.type, run.batch) }
        copies.end(envelope, in: run)
    }

    private func plan() {
        let pause = DispatchTimeInterval.milliseconds(Int(interval.milliseconds))
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in
            guard let self, !state.withLock({ $0.isEnding }) else { return }
            look(now: .now)
            plan()
        }
    }

    private func look(now: ContinuousClock.Instant) {
        let (runs, isEnding, strays, last) = state.withLock { state in
            state.runs.removeAll(where: \.isOver)
            defer { state.lookedAt = now }
            return (state.runs, state.isEnding, state.strays, state.lookedAt)
        }
        copies.tidy(now: now)
        if isEnding { return }
        if let last, isDatabaseAway() { for run in runs { run.databaseWasAway(for: now - last, now: now) } }
        var isStuck = false
        var slow: (types: Set<String>, batches: Set<ObjectIdentifier>) = ([], [])
        var standing: Set<ObjectIdentifier> = []
        for run in runs {
            if run.batch.isLost {
                admission.lose(run.batch)
            } else if !run.isApart, let entry = run.entry, let since = entry.since, now - since > Self.slow {
                slow.types.insert(entry.type)
                slow.batches.insert(ObjectIdentifier(run.batch))
            }
            guard let age = run.age(now: now), let envelope = run.current else { continue }
            // Those that were left just now may be about to end. Until that is known the others wait.
            if let overdue = run.overdue(now: now), !supersede(run, envelope, overdue, now), strays >= strayLimit || !run.hasWaited {
                isStuck = true
                stuck.occurred(
                    envelope.type,
                    level: .error,
                    "a handler does not end and cannot be left: restart the worker, and mend the handler",
                    metadata: FailedMessages.metadata(of: envelope).merging(["running": "\(age.components.seconds) s"]) { $1 }
                )
            }
            if age > Self.standstill, !run.isApart { standing.insert(ObjectIdentifier(run.batch)) }
        }
        admission.look(slow: slow.types, slow.batches)
        onProgress(!isStuck && standing.count < slots)
    }

    /// False where the handler keeps its slot.
    private func supersede(_ run: ConnectionRun, _ envelope: Envelope, _ overdue: ConnectionRun.Overdue, _ now: ContinuousClock.Instant)
        -> Bool
    {
        let goOn: GoOn? = state.withLock { state in
            guard state.strays < strayLimit else { return nil }
            state.strays += 1
            return state.goOn
        }
        guard let goOn else { return false }
        guard let (owner, task, heldSlot) = run.supersede(now: now) else {
            state.withLock { $0.strays -= 1 }
            // Through in the last moment, or it blocks the thread that began it.
            return run.overdue(now: now) == nil
        }
        let failure = failure(of: envelope, overdue)
        copies.strayed(envelope)
        task.cancel()
        Task { [self] in
            await task.value
            state.withLock { $0.strays -= 1 }
            copies.returned(envelope)
        }
        if heldSlot { left(envelope, run) }
        started(Task { await goOn(run, owner, failure) }, run, as: owner)
        return true
    }

    /// What a message comes to whose handler's time is over.
    private func failure(of envelope: Envelope, _ overdue: ConnectionRun.Overdue) -> any Error {
        let metadata = FailedMessages.metadata(of: envelope).merging(["limit": "\(overdue.limit)"]) { $1 }
        guard !overdue.hasWaited else {
            waited.occurred(
                envelope.type,
                "a handler waited too long for a database connection, its message is tried again later",
                metadata: metadata
            )
            return NotItsTurn(reason: "it waited too long for a database connection")
        }
        late.occurred(
            envelope.type,
            level: .error,
            "a handler did not end in its time, its message is tried again later",
            metadata: metadata
        )
        return TransientFailure("its handler did not end within \(overdue.limit)")
    }
}
