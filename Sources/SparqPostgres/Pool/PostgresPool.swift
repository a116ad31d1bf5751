import FaultLog
public import Logging
public import ServiceLifecycle
import Synchronization

/// A bounded pool of connections to one PostgreSQL database.
///
/// Connections are opened as they are wanted, up to ``PostgresConfiguration/poolSize``, each with a thread of its own; broken ones are
/// noticed while idle and replaced, with backoff while the database is away. Callers wait in turn, for
/// ``PostgresConfiguration/acquireTimeout`` at most. Use it from any task; run it as a service, so that it connects at the start and
/// closes orderly at the end.
///
/// Cancelling a task that waits takes it out of the queue; cancelling one whose statement runs asks the server to cancel, and gives
/// that connection up. Both throw `CancellationError`.
public final class PostgresPool: Service {
    struct Core {
        var machine: PoolStateMachine
        var threads: [PoolStateMachine.ConnectionID: ConnectionThread] = [:]
        /// Connections whose thread could not be started, until their failure is told.
        var pauses: [PoolStateMachine.ConnectionID: Task<Void, Never>] = [:]
        var waiters: [PoolStateMachine.WaiterID: CheckedContinuation<Lease, any Error>] = [:]
        var lastWaiter = 0
        var lastFailure: PostgresError?
        var drainedWaiters: [CheckedContinuation<Void, Never>] = []
    }

    /// A connection on loan.
    struct Lease: Sendable {
        let id: PoolStateMachine.ConnectionID
        let thread: ConnectionThread
    }

    /// Starts a connection's thread.
    typealias Start =
        @Sendable (
            PostgresConfiguration, Addresses, _ delay: Duration, PoolExecutor,
            _ report: @escaping @Sendable (ConnectionThread.Event) -> Void
        ) throws(PostgresError) -> ConnectionThread

    let configuration: PostgresConfiguration
    let logger: Logger
    private let unreachable: FaultLog
    private let lost: FaultLog
    private let addresses: Addresses
    private let start: Start
    let core: Mutex<Core>
    private let poolExecutor = PoolExecutor()
    private let reported = Mutex(PostgresPoolState.connecting)
    private let onStateChange: @Sendable (PostgresPoolState) -> Void

    /// A pool that has no connection yet.
    ///
    /// - Parameters:
    ///   - configuration: where the database is, and the limits.
    ///   - logger: gets one line when the database becomes reachable, unreachable, or established connections break; one a minute while that lasts.
    ///   - onStateChange: called for each change, one at a time, from a connection's thread; must return at once.
    public convenience init(
        configuration: PostgresConfiguration,
        logger: Logger,
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in }
    ) {
        self.init(configuration: configuration, logger: logger, onStateChange: onStateChange) {
            (configuration, addresses, delay, executor, report) throws(PostgresError) in
            try ConnectionThread(configuration, addresses: addresses, delay: delay, executor: executor, report: report)
        }
    }

    /// The same, with a way of its own to start threads: tests let it fail.
    init(
        configuration: PostgresConfiguration,
        logger: Logger,
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in },
        start: @escaping Start
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onStateChange = onStateChange
        self.start = start
        unreachable = FaultLog(logger)
        lost = FaultLog(logger)
        addresses = Addresses(configuration.conninfo)
        core = Mutex(
            Core(
                machine: PoolStateMachine(
                    capacity: configuration.poolSize,
                    kept: configuration.minimumConnections,
                    maximumWaiters: configuration.maximumWaiters
                )
            )
        )
    }

    deinit {
        for thread in core.withLock({ Array($0.threads.values) }) { thread.close() }
    }

    /// Runs tasks on the threads of connections that have nothing to do, and where all others run at other times. What they ask of the pool
    /// needs no other thread, and neither does what follows from the answer. They must not block: whoever is lent the connection waits for them.
    public var executor: any TaskExecutor { poolExecutor }

    /// Whether the database can be reached, as far as known.
    public var state: PostgresPoolState { reported.withLock { $0 } }

    /// How many connections are open.
    var openCount: Int { core.withLock { $0.machine.establishedCount } }

    /// Connects in the background and keeps ``PostgresConfiguration/minimumConnections`` until a graceful shutdown or a cancelled task. Then waits until no
    /// connection is in use, for ``PostgresConfiguration/shutdownTimeout`` at most, and closes all.
    public func run() async throws {
        apply { $0.start() }
        do {
            try await gracefulShutdown()
            await shutdown(within: configuration.shutdownTimeout)
        } catch {
            await shutdown(within: .zero)
        }
    }

    /// Makes a change to the bookkeeping and carries out what follows from it.
    func apply(_ change: (inout PoolStateMachine) -> [PoolStateMachine.Action]) {
        apply(core: { change(&$0.machine) })
    }

    func apply(core change: (inout sending Core) -> [PoolStateMachine.Action]) {
        let effects = core.withLock { core in
            let actions = change(&core)
            return actions.map { effect(of: $0, &core) }
        }
        // First, so that who gets a connection, or the end, out of this finds the state told.
        reportState()
        for effect in effects { effect() }
    }

    /// What an action means, to be done outside of the lock.
    private func effect(of action: PoolStateMachine.Action, _ core: inout Core) -> @Sendable () -> Void {
        switch action {
        case .open(let id, let failures):
            let delay = configuration.backoff.delay(failures: failures, random: Double.random(in: 0..<1))
            do throws(PostgresError) {
                core.threads[id] = try start(configuration, addresses, delay, poolExecutor) { [weak self] event in
                    self?.handle(event, of: id)
                }
            } catch {
                // Told later, and from elsewhere: the next attempt follows from it, and may fail as quickly.
                core.pauses[id] = Task { [weak self] in
                    try? await Task.sleep(for: delay)
                    self?.handle(.failed(error), of: id)
                    self?.handle(.ended, of: id)
                }
            }
            return {}
        case .close(let id):
            let thread = core.threads[id]
            let pause = core.pauses[id]
            return {
                thread?.close()
                pause?.cancel()
            }
        case .lease(let id, let waiter):
            guard let continuation = core.waiters.removeValue(forKey: waiter), let thread = core.threads[id] else {
                return { [weak self] in self?.apply { $0.release(id, reusable: true) } }
            }
            return { continuation.resume(returning: Lease(id: id, thread: thread)) }
        case .refuse(let waiter, let refusal):
            let continuation = core.waiters.removeValue(forKey: waiter)
            var error = PostgresPool.error(for: refusal)
            error.isCrowded = refusal == .tooManyWaiters && core.machine.establishedCount > 0
            return { [error] in continuation?.resume(throwing: error) }
        case .drained:
            let waiting = core.drainedWaiters
            core.drainedWaiters = []
            return { for continuation in waiting { continuation.resume() } }
        }
    }

    private func handle(_ event: ConnectionThread.Event, of id: PoolStateMachine.ConnectionID) {
        switch event {
        case .established:
            apply(core: { core in
                core.lastFailure = nil
                return core.machine.established(id)
            })
        case .failed(let error):
            apply(core: { core in
                core.lastFailure = error
                return core.machine.lost(id)
            })
            if state == .unavailable { reportUnreachable(error) }
        case .broken(let error):
            if core.withLock({ $0.machine.phase == .running }) {
                lost.occurred(FaultLog.single, "a database connection was lost", metadata: ["connection": "\(id)", "error": "\(error)"])
            }
            let isSilent = error.code == .timeout
            apply { isSilent ? $0.froze(id) : $0.lost(id) }
        case .ended:
            apply(core: { core in
                core.threads[id] = nil
                core.pauses[id] = nil
                return core.machine.ended(id)
            })
        }
    }

    /// Compares what is with what was told last; under a lock, so that changes are told in their order.
    private func reportState() {
        reported.withLock { last in
            let now: PostgresPoolState = core.withLock { core in
                if core.machine.phase == .closed { return .closed }
                if core.machine.establishedCount > 0 { return .ready }
                return core.machine.failures > 0 ? .unavailable : last == .ready ? .ready : last
            }
            guard now != last else { return }
            switch now {
            // What makes it unreachable is a failed attempt, which is told with its cause.
            case .unavailable, .connecting: break
            case .ready:
                if last == .connecting { logger.info("the database is reachable") }
                unreachable.ended(FaultLog.single, "the database is reachable")
            case .closed: logger.debug("the database pool is closed")
            }
            last = now
            onStateChange(now)
        }
    }

    private func reportUnreachable(_ error: PostgresError) {
        unreachable.occurred(FaultLog.single, "the database is unreachable", metadata: ["error": "\(error)"])
    }

    private static func error(for refusal: PoolStateMachine.Refusal) -> PostgresError {
        switch refusal {
        case .tooManyWaiters: PostgresError(.poolTimeout, "too many callers wait for a connection already")
        case .closed: PostgresError(.poolClosed, "the pool is shutting down")
        }
    }
}

/// Whether a pool reaches its database.
public enum PostgresPoolState: Sendable, Hashable {
    /// No attempt has ended yet.
    case connecting
    /// At least one connection stands.
    case ready
    /// The last attempt failed and no connection stands; the pool goes on trying.
    case unavailable
    /// The pool has shut down.
    case closed
}
