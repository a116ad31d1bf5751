internal import DequeModule
internal import Synchronization

/// Runs tasks on a connection's thread while that serves its connection, and where all others run at other times.
///
/// What follows from a confirm or a delivery then needs no other thread to wake up; nor does what it asks of the connection.
final class EngineExecutor: TaskExecutor {
    private struct State {
        /// The thread looks here before each time it waits.
        var isServing = false
        var jobs: Deque<UnownedJob> = []
    }

    /// Jobs run before the connection has its turn.
    private static let jobsPerTurn = 256

    private let wakeup: Wakeup
    private let state = Mutex(State())

    init(wakeup: Wakeup) { self.wakeup = wakeup }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isTaken = state.withLock { state in
            if state.isServing { state.jobs.append(job) }
            return state.isServing
        }
        if isTaken { wakeup.signal() } else { globalConcurrentExecutor.enqueue(job) }
    }

    /// From now on, jobs are run here. On the connection's thread.
    func begin() { state.withLock { $0.isServing = true } }

    /// Runs what is there, and what comes of it. On the connection's thread.
    func runJobs() {
        for _ in 0..<Self.jobsPerTurn {
            guard let job = state.withLock({ $0.jobs.popFirst() }) else { return }
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        // The rest must not wait until the broker says something.
        wakeup.signal()
    }

    /// The connection is gone, and nobody knows how long the thread will be busy with the next one; or it is about to wait for the broker's answer.
    /// From any thread.
    func end() {
        let jobs = state.withLock { state in
            state.isServing = false
            defer { state.jobs = [] }
            return state.jobs
        }
        for job in jobs { globalConcurrentExecutor.enqueue(job) }
    }
}
