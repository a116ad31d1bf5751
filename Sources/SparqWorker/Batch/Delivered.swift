import Synchronization

/// Waits until the last of some publishes is confirmed.
final class Delivered: Sendable {
    private struct State {
        var open = 1
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func begin() { state.withLock { $0.open += 1 } }

    func finish() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.open -= 1
            return state.open == 0 ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// As ``wait()``, but not for longer than so long.
    func wait(for limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when all is finished, or when the task is cancelled: the broker can be away for longer than a worker may take to end. For one
    /// caller.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.open == 0 || Task.isCancelled { return true }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiter.take() }
            waiter?.resume()
        }
    }
}
