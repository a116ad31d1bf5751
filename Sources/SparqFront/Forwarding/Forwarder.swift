import NIOConcurrencyHelpers
import NIOCore
import SparqFrontCore
import SparqWire

/// Settings of the forwarder.
struct ForwarderSettings: Sendable {
    var lanes = LaneMap()
    /// AMQP messages of one lane that may be unconfirmed. While fewer are, what comes leaves at once; else it is gathered.
    var unconfirmed = 4
    var batch = BatchLimits()
    /// Bytes of one lane that may wait; at this many nothing more is taken for it, below half of it there is room again.
    var waitingBytes = 8 << 20
    /// From a publish that failed to the next one of the same batch; it doubles up to ``longestPause``.
    var firstPause: Duration = .milliseconds(50)
    var longestPause: Duration = .seconds(2)
}

/// Who puts a batch on the broker.
protocol BatchPublisher: Sendable {
    /// Where the tasks that publish are best run.
    var executor: (any TaskExecutor)? { get }
    /// Publishes a batch for a lane.
    func publish(_ body: [UInt8], lane: String) async -> BatchOutcome
}

/// Carries envelopes from the event loops to the broker. Batches form by themselves while publishes are on their way; there is no timer.
///
/// Thread-safe: one short lock, under which envelopes are encoded into the batch that is forming.
final class Forwarder: Forwarding {
    private struct State {
        var batches: FormingBatches
        /// Publishing tasks of each lane that have nothing to do.
        var idle: [[CheckedContinuation<Batch?, Never>]]
        /// Lanes of which too much waits.
        var crowded: Set<Int> = []
        var isEnded = false
        /// Publishing tasks that work or wait for work.
        var tasks = 0
    }

    /// Between two looks at whether the broker is back.
    private static let lookInterval: Duration = .milliseconds(20)

    private let settings: ForwarderSettings
    private let state: NIOLockedValueBox<State>

    init(_ settings: ForwarderSettings) {
        self.settings = settings
        state = NIOLockedValueBox(
            State(
                batches: FormingBatches(lanes: settings.lanes, limits: settings.batch),
                idle: settings.lanes.names.map { _ in [] }
            )
        )
    }

    var crowded: Set<Int> { state.withLockedValue { $0.crowded } }

    func isCrowded(_ type: String) -> Bool { crowded.contains(settings.lanes.index(for: type)) }

    func forward(_ produce: (inout FormingBatches) -> Void) {
        let work = state.withLockedValue { state in
            produce(&state.batches)
            var work: [(CheckedContinuation<Batch?, Never>, Batch)] = []
            for lane in state.idle.indices {
                while !state.idle[lane].isEmpty, let batch = state.batches.next(lane) {
                    work.append((state.idle[lane].removeLast(), batch))
                }
                if state.batches.queues[lane].bytes >= settings.waitingBytes { state.crowded.insert(lane) }
            }
            return work
        }
        for (task, batch) in work { task.resume(returning: batch) }
    }

    /// Publishes until ``finish()`` was called and nothing waits any more, or the task is cancelled.
    ///
    /// While the broker is not there (`isOpen`), batches wait here and not with the publisher: what is over its deadline when they leave stays
    /// behind. `undelivered` is called for it, and for the messages of a batch that no queue has; `refused` for a message that is larger than the
    /// broker takes; `relieved` when there is room again. All come on any thread. What the broker did not take is published again after a pause, and its task publishes nothing else before.
    func run(
        _ publisher: any BatchPublisher,
        isOpen: @escaping @Sendable () -> Bool = { true },
        undelivered: @escaping @Sendable ([Batch.Member]) -> Void,
        refused: @escaping @Sendable ([Batch.Member]) -> Void = { _ in },
        relieved: @escaping @Sendable () -> Void
    ) async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for (index, lane) in settings.lanes.names.enumerated() {
                    for _ in 0..<max(settings.unconfirmed, 1) {
                        state.withLockedValue { $0.tasks += 1 }
                        group.addTask(executorPreference: publisher.executor) {
                            defer { self.state.withLockedValue { $0.tasks -= 1 } }
                            while !Task.isCancelled, let batch = await self.next(index, relieved) {
                                await self.publish(batch, lane, publisher, isOpen, undelivered, refused)
                            }
                        }
                    }
                }
            }
        } onCancel: {
            finish()
        }
    }

    /// Returns when the broker has all of the batch that is to be published, or the task is cancelled; true where it is one message, which the broker
    /// will never take.
    @discardableResult
    private func publish(
        _ batch: Batch,
        _ lane: String,
        _ publisher: any BatchPublisher,
        _ isOpen: @Sendable () -> Bool,
        _ undelivered: @Sendable ([Batch.Member]) -> Void,
        _ refused: @Sendable ([Batch.Member]) -> Void
    ) async -> Bool {
        var batch = batch
        var pause = settings.firstPause
        while true {
            while !isOpen(), (try? await Task.sleep(for: Self.lookInterval)) != nil {}
            let expired = batch.removeExpired(now: Clock.now()).filter { !$0.isCopy }
            if !expired.isEmpty { undelivered(expired) }
            guard batch.count > 0 else { return false }
            switch await publisher.publish(batch.bytes, lane: lane) {
            case .taken: return false
            case .failed: batch.wasTried = true
            case .returned:
                let returned = batch.removeReturned().filter { !$0.isCopy }
                if !returned.isEmpty { undelivered(returned) }
                guard batch.count > 0 else { return false }
            case .refused:
                // Too large for the broker: one of its messages is, or all of them together.
                if let (first, second) = batch.halves {
                    await publish(first, lane, publisher, isOpen, undelivered, refused)
                    await publish(second, lane, publisher, isOpen, undelivered, refused)
                    return false
                }
                guard let (first, others, isOne) = batch.suspects else {
                    let members = batch.members.filter { !$0.isCopy }
                    if !members.isEmpty { refused(members) }
                    return true
                }
                var rest = others
                if !(await publish(first, lane, publisher, isOpen, undelivered, refused) && isOne) {
                    // All of them together were too large. The rest must not overtake what has just left; its senders send it again.
                    let parted = rest.removeReturned().filter { !$0.isCopy }
                    if !parted.isEmpty { undelivered(parted) }
                }
                await publish(rest, lane, publisher, isOpen, undelivered, refused)
                return false
            }
            guard (try? await Task.sleep(for: pause)) != nil else { return false }
            pause = min(pause * 2, settings.longestPause)
        }
    }

    /// Ends ``run(_:isOpen:undelivered:refused:relieved:)`` as soon as nothing waits any more.
    func finish() {
        let idle = state.withLockedValue { state in
            state.isEnded = true
            defer { state.idle = state.idle.map { _ in [] } }
            return state.idle.flatMap { $0 }
        }
        for task in idle { task.resume(returning: nil) }
    }

    /// Returns when all that waited is published, or the time is over. For the end, after ``finish()``.
    func flushed(within limit: Duration) async throws {
        let end = ContinuousClock.now + limit
        while state.withLockedValue({ $0.tasks > 0 }), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(10)) }
    }

    private func next(_ lane: Int, _ relieved: () -> Void) async -> Batch? {
        var isRelieved = false
        let ready: Batch? = state.withLockedValue { state in
            let batch = state.batches.next(lane)
            if !state.crowded.isEmpty, state.batches.queues[lane].bytes < settings.waitingBytes / 2 {
                isRelieved = state.crowded.remove(lane) != nil
            }
            return batch
        }
        if isRelieved { relieved() }
        if let ready { return ready }
        return await withCheckedContinuation { continuation in
            let now: Batch?? = state.withLockedValue { state in
                if let batch = state.batches.next(lane) { return .some(batch) }
                if state.isEnded { return .some(nil) }
                state.idle[lane].append(continuation)
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }
}

/// Where shards and the node put what is for the workers.
protocol Forwarding: Sendable {
    /// The lanes of which so much waits already that nothing more should come.
    var crowded: Set<Int> { get }
    /// Whether that is so for the lane of a type.
    func isCrowded(_ type: String) -> Bool
    /// Calls `produce` once, on the caller's thread, and sends what it adds. `produce` must be short: other threads wait for it.
    func forward(_ produce: (inout FormingBatches) -> Void)
}
