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
        var socket: SocketHandle?
        var waiter: CheckedContinuation<Void, Never>?
        var watchdog: Task<Void, Never>?
    }

    let configuration: AMQPConfiguration
    let topology: Topology
    let drainLimit: Duration
    let logger: Logger
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
        self.onStateChange = onStateChange
        self.onDrain = onDrain
        self.onEnd = onEnd
    }

    var phase: Phase { control.withLock { $0.phase } }

    /// Runs until graceful shutdown has drained or the task is cancelled. Only once.
    func run<Role: EngineRole & SendableMetatype>(_ makeRole: @escaping @Sendable () -> Role) async throws(AMQPError) {
        guard wakeup.descriptor >= 0 else { throw AMQPError(.outOfResources, "no file descriptor", operation: "starting") }
        let isFirst = control.withLock { control in
            guard control.phase == .idle else { return false }
            control.phase = .running
            return true
        }
        guard isFirst else { throw AMQPError(.closed, "run() can be called only once", operation: "starting") }
        do throws(AMQPError) {
            try EngineThread.start { self.threadMain(makeRole()) }
        } catch {
            end()
            throw error
        }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await ended()
            } onGracefulShutdown: {
                self.drain()
            }
        } onCancel: {
            self.abort()
        }
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
        watch(after: drainLimit + .milliseconds(500))
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
        watch(after: .milliseconds(500))
    }

    /// Bounds the end: a thread that is stuck in a write gets its socket cut, one that is stuck in name resolution is left behind.
    ///
    /// Not a child of the task that runs us: that one may be cancelled already, and could not sleep.
    private func watch(after limit: Duration) {
        let watchdog = Task.detached { [weak self] in
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            self?.cut()
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
            self?.end()
        }
        let previous = control.withLock { control in
            if control.phase == .ended { return watchdog as Task<Void, Never>? }
            defer { control.watchdog = watchdog }
            return control.watchdog
        }
        previous?.cancel()
    }

    private func cut() {
        control.withLock { $0.socket }?.cut()
    }

    func register(_ socket: SocketHandle?) {
        control.withLock { $0.socket = socket }
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
        control.watchdog?.cancel()
        // The thread may be stuck; those who are let go now must not queue behind it.
        executor.end()
        onEnd()
        report(.closed)
        control.waiter?.resume()
    }

    func report(_ state: ConnectionState) {
        switch state {
        case .connecting(let attempt, _): logger.debug("connecting to the broker", metadata: ["attempt": "\(attempt)"])
        case .connected: logger.info("connected to the broker", metadata: ["broker": "\(configuration)"])
        case .blocked(let reason): logger.warning("the broker blocks publishing", metadata: ["reason": "\(reason)"])
        case .disconnected(let error):
            logger.warning("no connection to the broker", metadata: ["broker": "\(configuration)", "error": "\(error)"])
        case .closed: logger.info("connection to the broker ended", metadata: ["broker": "\(configuration)"])
        }
        onStateChange(state)
    }
}
