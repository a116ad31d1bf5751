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

    let configuration: PostgresConfiguration
    let logger: Logger
    let core: Mutex<Core>
    private let poolExecutor = PoolExecutor()
    private let reported = Mutex(PostgresPoolState.connecting)
    private let onStateChange: @Sendable (PostgresPoolState) -> Void

    /// A pool that has no connection yet.
    ///
    /// - Parameters:
    ///   - configuration: where the database is, and the limits.
    ///   - logger: gets one line when the database becomes reachable, unreachable, or an established connection breaks.
    ///   - onStateChange: called for each change, one at a time, from a connection's thread; must return at once.
    public init(
        configuration: PostgresConfiguration,
        logger: Logger,
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.logger = logger
        self.onStateChange = onStateChange
        core = Mutex(
            Core(machine: PoolStateMachine(capacity: configuration.poolSize, maximumWaiters: configuration.maximumWaiters))
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

    /// Connects in the background and keeps a connection until a graceful shutdown or a cancelled task. Then waits until no
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
            do {
                let delay = configuration.backoff.delay(failures: failures, random: Double.random(in: 0..<1))
                core.threads[id] = try ConnectionThread(configuration, delay: delay, executor: poolExecutor) { [weak self] event in
                    self?.handle(event, of: id)
                }
                return {}
            } catch {
                return { [weak self] in
                    self?.handle(.failed(error), of: id)
                    self?.handle(.ended, of: id)
                }
            }
        case .close(let id):
            let thread = core.threads[id]
            return { thread?.close() }
        case .lease(let id, let waiter):
            guard let continuation = core.waiters.removeValue(forKey: waiter), let thread = core.threads[id] else {
                return { [weak self] in self?.apply { $0.release(id, reusable: true) } }
            }
            return { continuation.resume(returning: Lease(id: id, thread: thread)) }
        case .refuse(let waiter, let refusal):
            let continuation = core.waiters.removeValue(forKey: waiter)
            return { continuation?.resume(throwing: PostgresPool.error(for: refusal)) }
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
        case .broken(let error):
            if core.withLock({ $0.machine.phase == .running }) {
                logger.warning("a database connection was lost", metadata: ["connection": "\(id)", "error": "\(error)"])
            }
            apply { $0.lost(id) }
        case .ended:
            apply(core: { core in
                core.threads[id] = nil
                return core.machine.ended(id)
            })
        }
    }

    /// Compares what is with what was told last; under a lock, so that changes are told in their order.
    private func reportState() {
        reported.withLock { last in
            let (now, failure): (PostgresPoolState, PostgresError?) = core.withLock { core in
                if core.machine.phase == .closed { return (.closed, nil) }
                if core.machine.establishedCount > 0 { return (.ready, nil) }
                return (core.machine.failures > 0 ? .unavailable : last == .ready ? .ready : last, core.lastFailure)
            }
            guard now != last else { return }
            last = now
            switch now {
            case .ready: logger.info("the database is reachable")
            case .unavailable: logger.warning("the database is unreachable", metadata: ["error": "\(failure?.description ?? "")"])
            case .closed: logger.debug("the database pool is closed")
            case .connecting: break
            }
            onStateChange(now)
        }
    }

    private static func error(for refusal: PoolStateMachine.Refusal) -> PostgresError {
        switch refusal {
        case .tooManyWaiters: PostgresError(.poolTimeout, "too many callers wait for a connection already")
        case .closed: PostgresError(.poolClosed, "the pool is shutting down")
        }
    }
}
