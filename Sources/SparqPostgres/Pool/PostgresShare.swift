import Synchronization

/// A part of a pool: those who work by way of it hold so many of the pool's connections at once, and no more. So others always find one.
///
/// Who asks says in whose name. Of what one name holds beyond one connection, and of the last connection of all, others have a part when they
/// wait for it: what has had that for a quarter of a second is cancelled, and begins again when it is its turn. So those who wait for a lock hold up nobody who
/// does not. What is asked must bear to be asked again, as it has to after a lost connection.
///
/// Waiting for one's turn has no limit of its own, and is no trouble of the database's: cancel the task.
public final class PostgresShare: Sendable {
    private typealias Asker = ShareBook.Asker

    private struct State {
        var book = ShareBook()
        var waiters: [Int: CheckedContinuation<ShareBook.Grant?, Never>] = [:]
        /// What ends those who must give back.
        var ends: [Int: @Sendable () -> Void] = [:]
        /// A task looks at the time, because somebody waits.
        var isTicking = false
    }

    /// Where somebody waits, so often it is looked whether anybody has to give back.
    private static let tick: Duration = .milliseconds(50)

    private let pool: PostgresPool
    private let connections: Int
    private let reserved: Int
    private let openCount: @Sendable () -> Int
    private let state = Mutex(State())

    /// A part of so many connections, two at least.
    ///
    /// - Parameter reserved: So many of those that the pool has open are left to others, where the server does not take more.
    public convenience init(of pool: PostgresPool, connections: Int, reserved: Int = 0) {
        self.init(of: pool, connections: connections, reserved: reserved) { pool.openCount }
    }

    /// - Parameter openCount: How many connections the pool has open.
    init(of pool: PostgresPool, connections: Int, reserved: Int, openCount: @escaping @Sendable () -> Int) {
        self.pool = pool
        self.connections = max(2, connections)
        self.reserved = reserved
        self.openCount = openCount
    }

    /// Hears when a read begins to wait for its turn (`true`), and when that is over.
    package typealias WaitListener = @Sendable (_ waits: Bool, _ now: ContinuousClock.Instant) -> Void

    /// For one name's reads.
    public func reads(of name: String) -> PostgresReads { PostgresReads(self, name, nil) }

    /// For one name's reads, with somebody who wants to know how long they wait.
    package func reads(of name: String, _ listener: @escaping WaitListener) -> PostgresReads {
        PostgresReads(self, name, listener)
    }

    /// How many hold a connection, and how many wait for one.
    var counts: (holding: Int, waiting: Int) { state.withLock { ($0.book.grants.count, $0.book.waiting) } }

    /// How many transactions wait for a connection.
    package var waitingTransactions: Int { state.withLock { $0.book.waitingTransactions } }

    /// The pool has no connection at all.
    package var isAway: Bool { openCount() == 0 }

    fileprivate func run(_ statement: Statement, _ reads: PostgresReads) async throws -> PostgresResult {
        let pool = pool
        return try await hold(reads.name, listener: reads.listener) { _ in try await pool.run(statement) }
    }

    fileprivate func pipeline(_ statements: [Statement], _ reads: PostgresReads) async throws -> [Result<PostgresResult, PostgresError>] {
        let pool = pool
        return try await hold(reads.name, listener: reads.listener) { _ in try await pool.pipeline(statements) }
    }

    /// Keeps a connection from being taken back. Throws where that has happened: then nothing may be changed any more.
    package typealias Keep = @Sendable () throws -> Void

    /// Runs what needs one connection of the pool when it is its turn; more than once, where it had to give back.
    ///
    /// - Parameter body: Calls `keep` before it does what must not be done twice, a commit above all.
    package func hold<Value: Sendable>(
        _ name: String,
        isTransaction: Bool = false,
        listener: WaitListener? = nil,
        _ body: @escaping @Sendable (_ keep: Keep) async throws -> Value
    ) async throws -> Value {
        let asker = Asker(name: name, isTransaction: isTransaction)
        while true {
            let grant = try await take(asker, listener)
            defer { giveBack(grant.id) }
            guard grant.isLent else {
                // Whoever does not care that its task is cancelled keeps the connection no longer either.
                return try await withTaskCancellationHandler {
                    try await body {}
                } onCancel: {
                    giveBack(grant.id)
                }
            }
            let task = Task { try await body { try keep(grant.id) } }
            let isLate = !state.withLock { state in
                // Taken back before anybody could be told how to end it.
                guard state.book.grants.contains(where: { $0.id == grant.id }) else { return false }
                state.ends[grant.id] = { task.cancel() }
                return true
            }
            if isLate { task.cancel() }
            do {
                return try await withTaskCancellationHandler {
                    try await task.value
                } onCancel: {
                    task.cancel()
                    giveBack(grant.id)
                }
            } catch {
                try Task.checkCancellation()
                guard task.isCancelled else { throw error }
            }
        }
    }

    private func keep(_ id: Int) throws {
        let isKept = state.withLock { state in
            state.ends[id] = nil
            return state.book.keep(id)
        }
        guard isKept else { throw CancellationError() }
    }

    // MARK: Turns

    /// Two at least: a transaction may read beside itself.
    private var capacity: Int { min(connections, max(2, openCount() - reserved)) }

    private func take(_ asker: Asker, _ listener: WaitListener?) async throws -> ShareBook.Grant {
        try Task.checkCancellation()
        let capacity = capacity
        let (grant, id) = state.withLock { state in
            (state.book.take(asker, of: capacity, now: .now), state.book.nextID())
        }
        if let grant { return grant }
        listener?(true, .now)
        defer { listener?(false, .now) }
        let waited = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    // A cancellation that came before found nobody here.
                    if Task.isCancelled { return true }
                    state.book.wait(id, asker)
                    state.waiters[id] = continuation
                    return false
                }
                if isCancelled { return continuation.resume(returning: nil) }
                serve()
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.book.abandon(id, asker) ? state.waiters.removeValue(forKey: id) : nil
            }
            waiter?.resume(returning: nil)
        }
        guard let waited else { throw CancellationError() }
        return waited
    }

    private func giveBack(_ id: Int) {
        let isWaitedFor = state.withLock { state in
            state.ends[id] = nil
            state.book.giveBack(id, now: .now)
            return state.book.waiting > 0
        }
        if isWaitedFor { serve() }
    }

    /// Takes back what is due, and lets in whose turn it is.
    private func serve() {
        let capacity = capacity
        let (ends, served, begins) = state.withLock { state in
            let now = ContinuousClock.now
            let ends = state.book.takeBack(now: now).compactMap { state.ends.removeValue(forKey: $0.id) }
            let served = state.book.serve(of: capacity, now: now).map { ($0, state.waiters.removeValue(forKey: $0.id)) }
            let begins = state.book.waiting > 0 && !state.isTicking
            if begins { state.isTicking = true }
            return (ends, served, begins)
        }
        for end in ends { end() }
        for (grant, waiter) in served { waiter?.resume(returning: grant) }
        // Unstructured, because it serves all who wait; it ends when nobody does.
        if begins { Task { await watch() } }
    }

    private func watch() async {
        while state.withLock({ state in
            state.isTicking = state.book.waiting > 0
            return state.isTicking
        }) {
            try? await Task.sleep(for: Self.tick)
            serve()
        }
    }
}

/// What one name reads by way of a ``PostgresShare``.
public final class PostgresReads: PostgresExecutor {
    fileprivate let share: PostgresShare
    package let name: String
    fileprivate let listener: PostgresShare.WaitListener?

    fileprivate init(_ share: PostgresShare, _ name: String, _ listener: PostgresShare.WaitListener?) {
        self.share = share
        self.name = name
        self.listener = listener
    }

    /// As ``PostgresPool/run(_:)``.
    public func run(_ statement: Statement) async throws -> PostgresResult { try await share.run(statement, self) }

    /// As ``PostgresPool/pipeline(_:)``.
    public func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] {
        try await share.pipeline(statements, self)
    }

    /// The same for others.
    package func heard(by listener: @escaping PostgresShare.WaitListener) -> PostgresReads { PostgresReads(share, name, listener) }
}
