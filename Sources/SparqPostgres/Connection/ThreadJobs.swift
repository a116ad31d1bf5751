import DequeModule
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tasks' steps that a connection's thread runs while the server owes it nothing.
final class ThreadJobs: Sendable {
    private struct State {
        /// The thread looks here before each time it waits for something to do.
        var isServing = false
        var jobs: Deque<UnownedJob> = []
    }

    /// Steps at a stretch, before a request has its turn.
    private static let perTurn = 256

    private let state = Mutex(State())
    private let wakeUp: WakeUp
    private let running = Atomic(false)

    init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

    /// The calling thread is the one that runs them.
    var isOwnThread: Bool { wakeUp.isOwnThread }

    /// A step is being run; what comes now waits for its end.
    var isRunning: Bool { running.load(ordering: .relaxed) }

    /// Leaves a step to the thread. False where it does not take any now.
    func add(_ job: UnownedJob) -> Bool {
        let isTaken = state.withLock { state in
            if state.isServing { state.jobs.append(job) }
            return state.isServing
        }
        if isTaken { wakeUp.signal() }
        return isTaken
    }

    /// From now on, steps are taken. On the thread.
    func begin() { state.withLock { $0.isServing = true } }

    /// Runs what is there, and what comes of it, within bounds; says whether nothing is left. On the thread.
    func run(on executor: UnownedTaskExecutor) -> Bool {
        for _ in 0..<Self.perTurn {
            guard let job = state.withLock({ $0.jobs.popFirst() }) else { return true }
            running.store(true, ordering: .relaxed)
            job.runSynchronously(on: executor)
            running.store(false, ordering: .relaxed)
        }
        return false
    }

    /// The thread is about to wait for the server, or to end: what it has not run is run elsewhere.
    func end() {
        let jobs = state.withLock { state in
            state.isServing = false
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
    }
}
