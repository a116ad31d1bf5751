internal import FaultLog
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// A connection that lives on a thread of its own and comes back after every failure until it is told to end.
///
/// This part is the side that other threads see; `Engine+Thread.swift` is what the thread does.
final class Engine: Sendable {
    /// How a run came to its end, or is coming to it.
    enum Phase: Equatable {
        case idle
        case running
        /// Finish what is under way, until the deadline at the latest.
        case draining(until: ContinuousClock.Instant)
        /// End now.
        case aborting
        case ended
    }

    private struct Control {
        var phase = Phase.idle
        var waiter: CheckedContinuation<Void, Never>?
        /// Bounds the end.
        var limiter: Task<Void, Never>?
    }

    let configuration: AMQPConfiguration
    let topology: Topology
    let drainLimit: Duration
    let logger: Logger
    let faults: FaultLog
    let watchdog = Watchdog()
    let wakeup: Wakeup
    let executor: EngineExecutor
    let onStateChange: @Sendable (ConnectionState) -> Void
    /// Takes nothing new from now on. Called once at most, from any thread.
    private let onDrain: @Sendable () -> Void
    /// Resumes everybody who waits. Called once, from any thread.
    private let onEnd: @Sendable () -> Void
    private let control = Mutex(Control())

    init(
        configuration: AMQPConfiguration,
        topology: Topology,
        drainLimit: Duration,
        logger: Logger,
        onStateChange: @escaping @Sendable (ConnectionState) -> Void,
        onDrain: @escaping @Sendable () -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) {
        self.configuration = configuration
        self.topology = topology
        wakeup = Wakeup()
        executor = EngineExecutor(wakeup: wakeup)
        self.drainLimit = drainLimit
        self.logger = logger
        faults = FaultLog(logger)
        self.onStateChange = onStateChange
        self.onDrain = onDrain
        self.onEnd = onEnd
    }

    var phase: Phase { control.withLock { $0.phase } }

    /// Runs until graceful shutdown has drained or the task is cancelled. Only once.
    func run<Role: EngineRole & SendableMetatype>(_ makeRole: @escaping @Sendable () -> Role) async throws(AMQPError) {
        let isFirst = control.withLock { control in
            guard control.phase == .idle else { return false }
            control.phase = .running
            return true
        }
        guard isFirst else { throw AMQPError(.closed, "run() can be called only once", operation: "starting") }
        // Not a child of the task that runs us: it watches the end too, when that one may be cancelled.
        let watching = Task.detached { [watchdog] in await watchdog.watch() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await start(makeRole)
                await ended()
            } onGracefulShutdown: {
                self.drain()
            }
        } onCancel: {
            self.abort()
        }
        watching.cancel()
    }

    /// Starts the thread; tries until there is one, and a descriptor for it.
    private func start<Role: EngineRole & SendableMetatype>(_ makeRole: @escaping @Sendable () -> Role) async {
        var backoff = Backoff(configuration.backoff)
        var generator = SystemRandomNumberGenerator()
        while phase == .running {
            do throws(AMQPError) {
                try wakeup.open()
                try EngineThread.start { self.threadMain(makeRole()) }
                return faults.ended("start", "the connection to the broker has what it needs")
            } catch {
                faults.occurred("start", "the connection to the broker cannot start", metadata: ["error": "\(error)"])
                report(.disconnected(error))
                try? await Task.sleep(for: backoff.next(using: &generator))
            }
        }
        end()
    }

    private func ended() async {
        await withCheckedContinuation { continuation in
            let isOver = control.withLock { control in
                guard control.phase != .ended else { return true }
                control.waiter = continuation
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Asks for an orderly end.
    func drain() {
        let isNew = control.withLock { control in
            guard control.phase == .running else { return false }
            control.phase = .draining(until: .now + drainLimit)
            return true
        }
        guard isNew else { return }
        onDrain()
        wakeup.signal()
        limit(drainLimit + .milliseconds(500))
    }

    /// Asks for an end without waiting for anything.
    func abort() {
        let isNew = control.withLock { control in
            switch control.phase {
            case .running, .draining:
                control.phase = .aborting
                return true
            case .idle, .aborting, .ended: return false
            }
        }
        guard isNew else { return }
        wakeup.signal()
        limit(.milliseconds(500))
    }

    /// Bounds the end: a thread that is stuck in a write gets its socket cut, one that is stuck in name resolution is left behind.
    ///
    /// Not a child of the task that runs us: that one may be cancelled already, and could not sleep.
    private func limit(_ limit: Duration) {
        let limiter = Task.detached { [weak self] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self?.watchdog.cut()
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            self?.end()
        }
        let previous = control.withLock { control in
            if control.phase == .ended { return limiter as Task<Void, Never>? }
            defer { control.limiter = limiter }
            return control.limiter
        }
        previous?.cancel()
    }

    /// The end, for everybody who waits. Later calls do nothing.
    func end() {
        let control = self.control.withLock { control -> Control? in
            guard control.phase != .ended else { return nil }
            let last = control
            control = Control(phase: .ended)
            return last
        }
        guard let control else { return }
        control.limiter?.cancel()
        // The thread may be stuck; those who are let go now must not queue behind it.
        executor.end()
        onEnd()
        logger.info("connection to the broker ended", metadata: ["broker": "\(configuration)"])
        report(.closed)
        control.waiter?.resume()
    }

    func report(_ state: ConnectionState) { onStateChange(state) }
}
