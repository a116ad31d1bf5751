import SparqAMQP
import Synchronization
import Testing

/// Collects the states that a publisher or consumer reports, and lets a test wait for one.
final class StateLog: Sendable {
    private struct Waiter {
        let id: Int
        let matches: @Sendable (ConnectionState) -> Bool
        let continuation: CheckedContinuation<ConnectionState?, Never>
    }
    private struct Contents {
        var states: [ConnectionState] = []
        var waiters: [Waiter] = []
        var nextID = 0
    }
    private let contents = Mutex(Contents())

    var all: [ConnectionState] { contents.withLock { $0.states } }
    var count: Int { all.count }

    func add(_ state: ConnectionState) {
        let ready = contents.withLock { contents in
            contents.states.append(state)
            let ready = contents.waiters.filter { $0.matches(state) }
            contents.waiters.removeAll { $0.matches(state) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume(returning: state) }
    }

    /// The first state from position `start` on that matches; throws after the limit.
    @discardableResult
    func first(
        from start: Int = 0,
        within limit: Duration = .seconds(20),
        where matches: @escaping @Sendable (ConnectionState) -> Bool
    ) async throws -> ConnectionState {
        let id = contents.withLock { contents in
            contents.nextID += 1
            return contents.nextID
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            let waiter = self.contents.withLock { contents in
                let waiter = contents.waiters.first { $0.id == id }
                contents.waiters.removeAll { $0.id == id }
                return waiter
            }
            waiter?.continuation.resume(returning: nil)
        }
        defer { timer.cancel() }
        let state = await withCheckedContinuation { continuation in
            let known = contents.withLock { contents -> ConnectionState? in
                if let known = contents.states.dropFirst(start).first(where: matches) { return known }
                contents.waiters.append(Waiter(id: id, matches: matches, continuation: continuation))
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
        return try #require(state, "the awaited state did not come; seen: \(all)")
    }

    @discardableResult
    func connected(from start: Int = 0, within limit: Duration = .seconds(20)) async throws -> ConnectionState {
        try await first(from: start, within: limit) { $0 == .connected }
    }

    @discardableResult
    func disconnected(from start: Int = 0, within limit: Duration = .seconds(20)) async throws -> AMQPError {
        let state = try await first(from: start, within: limit) { if case .disconnected = $0 { true } else { false } }
        guard case .disconnected(let error) = state else { throw Broker.MissingBroker() }
        return error
    }
}
