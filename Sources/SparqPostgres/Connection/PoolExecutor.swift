import Synchronization

/// Runs tasks on the threads of a pool's connections while these have nothing else to do, and where all others run at other times.
///
/// A task stays on its thread, and the pool lends it that thread's connection if it can: asking the database then needs no other thread to wake up.
final class PoolExecutor: TaskExecutor {
    /// The threads that stand ready; those that were used last come last.
    private let threads = Mutex<[ConnectionThread]>([])

    func add(_ thread: ConnectionThread) { threads.withLock { $0.append(thread) } }

    func remove(_ thread: ConnectionThread) { threads.withLock { $0.removeAll { $0 === thread } } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let candidates = threads.withLock { $0 }
        // Whoever runs here already goes on here.
        if let own = candidates.first(where: \.jobs.isOwnThread), own.jobs.add(job) { return }
        for thread in candidates where !thread.jobs.isRunning { if thread.jobs.add(job) { return } }
        globalConcurrentExecutor.enqueue(job)
    }
}
