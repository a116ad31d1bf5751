import Synchronization

/// A time limit for what an application has written.
enum TimeLimit {
    /// Runs what an application has written, outside of any connection's run, in a task of its own, and leaves it when its time is over.
    ///
    /// - Throws: What the body throws; ``TransientFailure`` when its time is over.
    static func run<Value: Sendable>(
        _ limit: Duration,
        _ what: String,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let race = Race<Value>()
        let task = Task {
            do { race.end(.success(try await body())) } catch { race.end(.failure(error)) }
        }
        let alarm = Task {
            try await Task.sleep(for: limit)
            race.end(.failure(TransientFailure("\(what) did not end within \(limit)")))
            task.cancel()
        }
        defer { alarm.cancel() }
        return try await withTaskCancellationHandler {
            try await race.value()
        } onCancel: {
            task.cancel()
        }
    }
}

/// A value that several may bring; the first one counts. For one who waits.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiter: CheckedContinuation<Value, any Error>?
    }

    private let state = Mutex(State())

    func end(_ result: Result<Value, any Error>) {
        let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
            guard state.result == nil else { return nil }
            state.result = result
            return state.waiter.take()
        }
        waiter?.resume(with: result)
    }

    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<Value, any Error>? = state.withLock { state in
                if state.result == nil { state.waiter = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
