public import SparqPostgres
import Synchronization

/// Lets messages of one type share one query: while a query is on its way, keys that are asked for gather for the next.
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

    /// Messages of one type.
    private struct Crowd {
        var waiters: [Key: [Waiter]] = [:]
        var running = 0
    }

    private let load: Load
    private let limit: Int
    private let concurrency: Int
    private let remembers: Bool
    /// By type: it asks in its own name for connections, and so waits for none of another one's.
    private let crowds = Mutex<[String: Crowd]>([:])

    /// A loader.
    ///
    /// - Parameters:
    ///   - limit: The most keys of one query.
    ///   - concurrency: How many queries of one type may be on their way at once.
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
        let changes = memo.changes
        let value = try await ask(key, context)
        memo.keep(value, of: key, from: self, since: changes)
        return value
    }

    private func ask(_ key: Key, _ context: Context) async throws -> Value? {
        let type = context.type
        // Where nobody asks together with it, the handler's own task does, and no other has to be woken for it.
        if context.asksAlone, beginAlone(type) {
            defer { endAlone(type, context.database) }
            return try await load([key], context.database)[key]
        }
        return try await withCheckedThrowingContinuation { continuation in
            context.listener?(true, .now)
            let start = change(type) { crowd in
                crowd.waiters[key, default: []].append(Waiter(continuation: continuation, listener: context.listener))
                guard crowd.running < concurrency else { return false }
                crowd.running += 1
                return true
            }
            // Unstructured, because the query serves callers of many tasks; it ends when nobody waits.
            if start { Task { await self.drain(type, context.database) } }
        }
    }

    private func beginAlone(_ type: String) -> Bool {
        change(type) { crowd in
            guard crowd.running < concurrency, crowd.waiters.isEmpty else { return false }
            crowd.running += 1
            return true
        }
    }

    /// Leaves those who came meanwhile to a task of their own.
    private func endAlone(_ type: String, _ database: any PostgresExecutor) {
        let isAwaited = change(type) { crowd in
            if crowd.waiters.isEmpty { crowd.running -= 1 }
            return !crowd.waiters.isEmpty
        }
        if isAwaited { Task { await self.drain(type, database) } }
    }

    /// Calls that wait for a query that has not begun.
    var waiting: Int { crowds.withLock { $0.values.reduce(0) { $0 + $1.waiters.values.reduce(0) { $0 + $1.count } } } }

    /// Types that something is on its way for, or waits.
    var types: Int { crowds.withLock { $0.count } }

    private func drain(_ type: String, _ database: any PostgresExecutor) async {
        while let batch = next(type) {
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

    private func next(_ type: String) -> [Key: [Waiter]]? {
        change(type) { crowd in
            guard !crowd.waiters.isEmpty else {
                crowd.running -= 1
                return nil
            }
            guard crowd.waiters.count > limit else {
                defer { crowd.waiters = [:] }
                return crowd.waiters
            }
            var batch: [Key: [Waiter]] = [:]
            for (key, waiters) in crowd.waiters.prefix(limit) { batch[key] = waiters }
            for key in batch.keys { crowd.waiters[key] = nil }
            return batch
        }
    }

    /// Changes the crowd of a type. One that is over leaves nothing behind.
    private func change<Result: Sendable>(_ type: String, _ body: (inout Crowd) -> Result) -> Result {
        crowds.withLock { crowds in
            let result = body(&crowds[type, default: Crowd()])
            if let place = crowds.index(forKey: type), crowds.values[place].running == 0, crowds.values[place].waiters.isEmpty {
                crowds.remove(at: place)
            }
            return result
        }
    }
}
