public import SparqPostgres
import Synchronization

/// Lets handlers of one crowd share one query: while a query is on its way, keys that are asked for gather for the next.
///
/// A lone key is asked for at once; there is no timer. A value is as fresh as a query that began after the call; with `remembers`, after the
/// message came: then messages of one connection that came together ask once for the same key, as long as none of them runs a transaction.
public final class BatchLoader<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    /// Loads many values at once; keys without a value are left out.
    public typealias Load = @Sendable ([Key], any PostgresExecutor) async throws -> [Key: Value]

    private struct Waiter {
        let continuation: CheckedContinuation<Value?, any Error>
        /// Hears how long it waits for its turn: here, and then for a connection.
        let listener: PostgresShare.WaitListener?
    }

    private struct State {
        var waiters: [Key: [Waiter]] = [:]
        var running = 0
    }

    private let load: Load
    private let limit: Int
    private let concurrency: Int
    private let remembers: Bool
    private let state = Mutex(State())

    /// A loader.
    ///
    /// - Parameters:
    ///   - limit: The most keys of one query.
    ///   - concurrency: How many queries may be on their way at once.
    ///   - remembers: Whether messages of one connection that came together share an answer.
    ///   - load: The query. An error goes to all who wait for one of its keys; but where it is about a value, other queries find out about which one.
    public init(limit: Int = 512, concurrency: Int = 1, remembers: Bool = false, _ load: @escaping Load) {
        self.load = load
        self.remembers = remembers
        self.limit = limit
        self.concurrency = concurrency
    }

    /// The value of a key, or `nil` where there is none. Throws what the query throws.
    public func load(_ key: Key, _ context: Context) async throws -> Value? {
        guard remembers, let memo = context.memo else { return try await ask(key, context) }
        if let known: Value? = memo.value(of: key, from: self) { return known }
        let value = try await ask(key, context)
        memo.keep(value, of: key, from: self)
        return value
    }

    private func ask(_ key: Key, _ context: Context) async throws -> Value? {
        // Where nobody asks together with it, the handler's own task does, and no other has to be woken for it.
        if context.asksAlone, beginAlone() {
            defer { endAlone(context.database) }
            return try await load([key], context.database)[key]
        }
        return try await withCheckedThrowingContinuation { continuation in
            context.listener?(true, .now)
            let start = state.withLock { state in
                state.waiters[key, default: []].append(Waiter(continuation: continuation, listener: context.listener))
                guard state.running < concurrency else { return false }
                state.running += 1
                return true
            }
            // Unstructured, because the query serves callers of many tasks; it ends when nobody waits.
            if start { Task { await self.drain(context.database) } }
        }
    }

    private func beginAlone() -> Bool {
        state.withLock { state in
            guard state.running < concurrency, state.waiters.isEmpty else { return false }
            state.running += 1
            return true
        }
    }

    /// Leaves those who came meanwhile to a task of their own.
    private func endAlone(_ database: any PostgresExecutor) {
        let isAwaited = state.withLock { state in
            if state.waiters.isEmpty { state.running -= 1 }
            return !state.waiters.isEmpty
        }
        if isAwaited { Task { await self.drain(database) } }
    }

    /// Calls that wait for a query that has not begun.
    var waiting: Int { state.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    private func drain(_ database: any PostgresExecutor) async {
        while let batch = next() {
            let batch = batch.map { (key: $0.key, waiters: $0.value) }[...]
            Self.tell(batch, false, .now)
            await answer(batch, database)
        }
    }

    private static func tell(_ batch: ArraySlice<(key: Key, waiters: [Waiter])>, _ waits: Bool, _ now: ContinuousClock.Instant) {
        for (_, waiters) in batch { for waiter in waiters { waiter.listener?(waits, now) } }
    }

    private func answer(_ batch: ArraySlice<(key: Key, waiters: [Waiter])>, _ database: any PostgresExecutor) async {
        do {
            let database = (database as? PostgresReads)?.heard { Self.tell(batch, $0, $1) } ?? database
            let values = try await load(batch.map { $0.key }, database)
            for (key, waiters) in batch { for waiter in waiters { waiter.continuation.resume(returning: values[key]) } }
        } catch let error as PostgresError where error.isAboutValue && batch.count > 1 {
            // One of the keys is at fault: the others' askers must not be told so.
            let middle = batch.startIndex + batch.count / 2
            await answer(batch[..<middle], database)
            await answer(batch[middle...], database)
        } catch {
            for (_, waiters) in batch { for waiter in waiters { waiter.continuation.resume(throwing: error) } }
        }
    }

    private func next() -> [Key: [Waiter]]? {
        state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.running -= 1
                return nil
            }
            guard state.waiters.count > limit else {
                defer { state.waiters = [:] }
                return state.waiters
            }
            var batch: [Key: [Waiter]] = [:]
            for (key, waiters) in state.waiters.prefix(limit) { batch[key] = waiters }
            for key in batch.keys { state.waiters[key] = nil }
            return batch
        }
    }
}
