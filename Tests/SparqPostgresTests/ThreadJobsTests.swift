import Glibc
import Synchronization
import Testing

@testable import SparqPostgres

@Suite(.timeLimit(.minutes(1))) struct ThreadJobsTests {
    /// Hands all to the same thread's list, as a pool does with what it lets run there.
    private final class Executor: TaskExecutor {
        let jobs: ThreadJobs

        init() throws { jobs = ThreadJobs(wakeUp: try WakeUp()) }

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            if !jobs.add(job) { globalConcurrentExecutor.enqueue(job) }
        }

        /// As the connection's thread does.
        func serve() -> Bool { jobs.run(on: asUnownedTaskExecutor()) }
    }

    private final class Threads: Sendable {
        private let threads = Mutex<[UInt]>([])
        var all: [UInt] { threads.withLock { $0 } }
        func add() {
            let thread = UInt(pthread_self())
            threads.withLock { $0.append(thread) }
        }
    }

    private func run(_ count: Int, on executor: Executor) -> (Threads, [Task<Void, Never>]) {
        let threads = Threads()
        return (threads, (0..<count).map { _ in Task(executorPreference: executor) { threads.add() } })
    }

    /// On the calling thread, without a step to another in between.
    private func serve(_ executor: Executor) -> (turns: Int, thread: UInt) {
        var turns = 1
        while !executor.serve() { turns += 1 }
        return (turns, UInt(pthread_self()))
    }

    @Test func runsAllInTurnsOfBoundedLength() async throws {
        let executor = try Executor()
        executor.jobs.begin()
        let (threads, tasks) = run(1000, on: executor)
        #expect(threads.all.isEmpty)
        let (turns, own) = serve(executor)
        #expect(turns == 4)
        #expect(threads.all.count == 1000 && threads.all.allSatisfy { $0 == own })
        for task in tasks { await task.value }
    }

    @Test func whatIsLeftWhenTheThreadWaitsRunsElsewhere() async throws {
        let executor = try Executor()
        executor.jobs.begin()
        let (threads, tasks) = run(100, on: executor)
        #expect(threads.all.isEmpty)
        executor.jobs.end()
        for task in tasks { await task.value }
        #expect(threads.all.count == 100)
        let (later, others) = run(100, on: executor)
        for task in others { await task.value }
        #expect(later.all.count == 100)
    }
}
