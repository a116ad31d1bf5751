import CPostgreSQL
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A connection to the server and the thread that owns it: it alone touches libpq. Everybody else posts requests and awaits
/// answers, so no thread of Swift's concurrency ever waits for the network.
final class ConnectionThread: Sendable {
    /// What becomes of a connection; told from its thread.
    enum Event: Sendable {
        case established
        /// The attempt to connect failed; the thread has ended.
        case failed(PostgresError)
        /// It was established, and is lost or given up.
        case broken(PostgresError)
        /// The thread ends; always the last.
        case ended
    }

    /// Steps of tasks that run on the thread.
    let jobs: ThreadJobs
    private let executor: PoolExecutor
    private let mailbox: Mailbox
    private let wakeUp: WakeUp
    private let configuration: PostgresConfiguration
    private let addresses: Addresses
    private let delay: Duration
    private let report: @Sendable (Event) -> Void

    /// Starts the thread, which connects after a delay, and then takes steps of tasks from the executor.
    init(
        _ configuration: PostgresConfiguration,
        addresses: Addresses,
        delay: Duration,
        executor: PoolExecutor,
        report: @escaping @Sendable (Event) -> Void
    ) throws(PostgresError) {
        self.configuration = configuration
        self.addresses = addresses
        self.delay = delay
        self.report = report
        wakeUp = try WakeUp()
        self.executor = executor
        jobs = ThreadJobs(wakeUp: wakeUp)
        mailbox = Mailbox(wakeUp: wakeUp)
        try start()
    }

    /// Runs a request. A cancelled task gets its answer at once, and the connection is given up.
    func run(_ request: Request) async -> RequestOutcome {
        let id = mailbox.reserve()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if !mailbox.post(Mailbox.Job(id: id, request: request, answer: continuation)) {
                    continuation.resume(returning: .failed(mailbox.end ?? ConnectionThread.unsent("the connection is closed")))
                } else if Task.isCancelled {
                    mailbox.cancel(id)
                }
            }
        } onCancel: {
            mailbox.cancel(id)
        }
    }

    /// Ends the thread soon, a running statement included.
    func close() { mailbox.close() }

    /// Whether the last request left a transaction block open.
    var isInTransaction: Bool { mailbox.isInTransaction }

    private func start() throws(PostgresError) {
        let context = Unmanaged.passRetained(self)
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        #if canImport(Darwin)
            var thread: pthread_t?
            let status = pthread_create(&thread, &attributes, { connectionThreadMain($0) }, context.toOpaque())
        #else
            var thread = pthread_t()
            let status = pthread_create(&thread, &attributes, { connectionThreadMain($0) }, context.toOpaque())
        #endif
        if status != 0 {
            context.release()
            throw PostgresError(.connectionFailed, "no thread for a connection, errno \(status)")
        }
    }

    /// The thread's whole life.
    fileprivate func main() {
        wakeUp.claim()
        let error = live()
        for job in mailbox.finish() {
            job.answer.resume(returning: .failed(error ?? ConnectionThread.unsent("the connection is closed")))
        }
        report(.ended)
    }

    private func live() -> PostgresError? {
        let session: Session
        do {
            try pause()
            session = try Session.connect(configuration, addresses, wakeUp: wakeUp, mailbox: mailbox)
            try session.prepare()
        } catch {
            let failure = ConnectionThread.error(of: error, code: .connectionFailed)
            report(.failed(failure))
            return ConnectionThread.unsent(failure.message)
        }
        executor.add(self)
        jobs.begin()
        report(.established)
        var heard = ContinuousClock.now
        do throws(Interruption) {
            while true { try turn(session, &heard) }
        } catch {
            executor.remove(self)
            jobs.end()
            let failure = ConnectionThread.error(of: error, code: .connectionLost)
            var end = ConnectionThread.unsent(failure.message)
            end.sqlState = failure.sqlState
            mailbox.end = end
            report(.broken(failure))
            session.cancelOnServer()
            return end
        }
    }

    /// Waits out the backoff; closing the connection ends it early.
    private func pause() throws(Interruption) {
        let deadline = ContinuousClock.now + delay
        while ContinuousClock.now < deadline {
            var descriptor = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, Session.milliseconds(until: deadline)) > 0 { wakeUp.drain() }
            if let interruption = mailbox.interruption { throw interruption }
        }
    }

    /// Does the next job, or waits for one and watches the connection meanwhile.
    ///
    /// - Parameter heard: when the server last gave an answer.
    private func turn(_ session: Session, _ heard: inout ContinuousClock.Instant) throws(Interruption) {
        let isIdle = jobs.run(on: executor.asUnownedTaskExecutor())
        // What the thread's own steps asked for has not signalled.
        if let interruption = mailbox.interruption { throw interruption }
        if let job = mailbox.take() {
            try perform(job, session)
            heard = .now
            return
        }
        guard isIdle else { return }
        // Not within a transaction: it would no longer count as one that stands still.
        let check = session.isInTransaction ? nil : heard + max(configuration.idleCheckInterval, .milliseconds(10))
        if try session.wait(for: Int16(POLLIN), until: check) != 0 {
            do { try session.readUnasked() } catch { throw .lost(error) }
        } else if let check, ContinuousClock.now >= check {
            jobs.end()
            try session.askForALifeSign()
            heard = .now
            jobs.begin()
        }
    }

    private func perform(_ job: Mailbox.Job, _ session: Session) throws(Interruption) {
        jobs.end()
        var exchange = Exchange(session, job.request)
        do {
            try exchange.run()
            mailbox.finished(inTransaction: session.isInTransaction)
            // First, so that whoever waits for the answer can go on here.
            jobs.begin()
            job.answer.resume(returning: .finished(exchange.outcomes.compactMap(\.self), prologue: exchange.failedPrologue))
        } catch {
            switch error {
            case .cancelled: job.answer.resume(returning: .cancelled)
            case .lost, .closed:
                var failure = ConnectionThread.error(of: error, code: .connectionLost)
                failure.isOutcomeUnknown = true
                let outcomes = exchange.outcomes.map { $0 ?? .failure(failure) }
                // The answers that came are known; a script has none of its own.
                job.answer.resume(returning: outcomes.isEmpty ? .failed(failure) : .finished(outcomes, prologue: nil))
            }
            throw error
        }
    }

    private static func error(of interruption: Interruption, code: PostgresError.Code) -> PostgresError {
        switch interruption {
        case .lost(let error) where error.code == .server && code == .connectionFailed:
            var failure = PostgresError(.connectionFailed, error.message)
            failure.sqlState = error.sqlState
            return failure
        case .lost(let error): return error
        case .cancelled: return PostgresError(code, "given up, because the task that used it was cancelled")
        case .closed: return PostgresError(code, "the connection was closed")
        }
    }

    private static func unsent(_ message: String) -> PostgresError {
        var error = PostgresError(.connectionLost, message)
        error.isUnsent = true
        return error
    }
}

private func connectionThreadMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<ConnectionThread>.fromOpaque(context).takeRetainedValue().main()
    return nil
}

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
