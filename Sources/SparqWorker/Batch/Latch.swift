import Synchronization

/// Counts what is open, and lets one caller wait until nothing is.
final class Latch: Sendable {
    private struct State {
        var open: Int
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state: Mutex<State>

    init(open: Int = 0) { state = Mutex(State(open: open)) }

    var open: Int { state.withLock { $0.open } }

    func begin() { state.withLock { $0.open += 1 } }

    func finish() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.open -= 1
            return state.open == 0 ? state.waiter.take() : nil
        }
        waiter?.resume()
    }

    /// Returns when nothing is open, or when the task is cancelled: the broker can be away for longer than a worker may take to end. For one
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

    /// As ``wait()``, but not for longer than so long.
    func wait(for limit: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}
