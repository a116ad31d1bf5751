import Glibc
import Synchronization
import Testing

@testable import SparqAMQP

@Suite(.timeLimit(.minutes(1))) struct EngineExecutorTests {
    private final class Steps: Sendable {
        private let steps = Mutex<[Int: UInt]>([:])
        var threads: [Int: UInt] { steps.withLock { $0 } }
        func add(_ step: Int) {
            let thread = UInt(pthread_self())
            steps.withLock { $0[step] = thread }
        }
    }

    private func run(_ count: Int, on executor: EngineExecutor) -> (Steps, [Task<Void, Never>]) {
        let steps = Steps()
        return (steps, (0..<count).map { step in Task(executorPreference: executor) { steps.add(step) } })
    }

    @Test func runsAllOnTheThreadThatServes() async {
        let wakeup = Wakeup()
        let executor = EngineExecutor(wakeup: wakeup)
        executor.begin()
        let (steps, tasks) = run(1000, on: executor)
        #expect(steps.threads.isEmpty)
        #expect(wakeup.isPending, "the thread is asleep")
        let own = serve(executor, wakeup)
        #expect(steps.threads.count == 1000 && steps.threads.values.allSatisfy { $0 == own })
        for task in tasks { await task.value }
    }

    /// As the connection's thread does, until it would wait.
    private func serve(_ executor: EngineExecutor, _ wakeup: Wakeup) -> UInt {
        wakeup.claim()
        defer { wakeup.release() }
        repeat {
            wakeup.rearm()
            executor.runJobs()
        } while wakeup.isPending
        return UInt(pthread_self())
    }

    @Test func whatIsLeftAtTheEndRunsElsewhere() async {
        let executor = EngineExecutor(wakeup: Wakeup())
        executor.begin()
        let (steps, tasks) = run(100, on: executor)
        #expect(steps.threads.isEmpty)
        executor.end()
        for task in tasks { await task.value }
        #expect(steps.threads.count == 100)
        let (later, others) = run(100, on: executor)
        for task in others { await task.value }
        #expect(later.threads.count == 100)
    }

    @Test func theThreadsOwnSignalsAreSeenWithoutASystemCall() {
        let wakeup = Wakeup()
        func isReadable() -> Bool {
            var entry = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&entry, 1, 0) > 0
        }
        wakeup.claim()
        wakeup.rearm()
        wakeup.signal()
        #expect(wakeup.isPending && !isReadable())
        wakeup.release()
        #expect(!wakeup.isPending)
        wakeup.signal()
        #expect(wakeup.isPending && isReadable())
    }
}
