import DequeModule
import Synchronization

/// What other threads leave for a connection's thread, and the flags by which they interrupt it.
final class Mailbox: Sendable {
    struct Job: Sendable {
        let id: UInt64
        let request: Request
        let answer: CheckedContinuation<RequestOutcome, Never>
    }

    private struct State {
        var jobs: Deque<Job> = []
        var lastJob: UInt64 = 0
        var current: UInt64 = 0
        var isCancelled = false
        var isClosing = false
        var isOver = false
        var isIdleInTransaction = false
        var end: PostgresError?
    }

    private let state = Mutex(State())
    private let wakeUp: WakeUp

    init(wakeUp: WakeUp) { self.wakeUp = wakeUp }

    /// A number for a job that is to come.
    func reserve() -> UInt64 {
        state.withLock { state in
            state.lastJob += 1
            return state.lastJob
        }
    }

    /// Leaves a job; false where nobody will do it any more.
    func post(_ job: Job) -> Bool {
        let accepted = state.withLock { state in
            guard !state.isOver, !state.isClosing else { return false }
            state.jobs.append(job)
            return true
        }
        if accepted { wakeUp.signal() }
        return accepted
    }

    /// Ends a job: it leaves the queue, or is broken off.
    func cancel(_ id: UInt64) {
        let waiting: Job? = state.withLock { state in
            if state.current == id {
                state.isCancelled = true
                return nil
            }
            guard let index = state.jobs.firstIndex(where: { $0.id == id }) else { return nil }
            return state.jobs.remove(at: index)
        }
        waiting?.answer.resume(returning: .cancelled)
        wakeUp.signal()
    }

    /// Asks the thread to end, in the middle of a statement too.
    func close() {
        state.withLock { $0.isClosing = true }
        wakeUp.signal()
    }

    /// The thread takes the next job.
    func take() -> Job? {
        state.withLock { state in
            guard let job = state.jobs.popFirst() else { return nil }
            state.current = job.id
            return job
        }
    }

    /// The thread has done its job. `inTransaction` says whether the session was left in a transaction block.
    func finished(inTransaction: Bool) {
        state.withLock { state in
            state.current = 0
            state.isCancelled = false
            state.isIdleInTransaction = inTransaction
        }
    }

    /// Whether the last finished job left a transaction block open.
    var isInTransaction: Bool { state.withLock { $0.isIdleInTransaction } }

    /// Why the connection broke, for those who come too late.
    var end: PostgresError? {
        get { state.withLock { $0.end } }
        set { state.withLock { $0.end = newValue } }
    }

    /// Whether somebody wants the thread to stop what it does.
    var interruption: Interruption? {
        state.withLock { state in
            if state.isClosing { return .closed }
            return state.isCancelled ? .cancelled : nil
        }
    }

    /// The thread ends; what it leaves undone is returned.
    func finish() -> [Job] {
        state.withLock { state in
            state.isOver = true
            defer { state.jobs = [] }
            return Array(state.jobs)
        }
    }
}

/// Why a connection's thread stopped waiting; after any of them the connection is given up.
enum Interruption: Error {
    /// The network or the server.
    case lost(PostgresError)
    /// The task that wanted the answer was cancelled.
    case cancelled
    /// The pool closes the connection.
    case closed
}
