import DequeModule
import Synchronization

/// So many may be at something at once; the others wait, in the order in which they came.
package final class Permits: Sendable {
    private struct State {
        var free: Int
        var lastWaiter = 0
        var waiters: Deque<(number: Int, continuation: CheckedContinuation<Bool, Never>)> = []
    }

    private let state: Mutex<State>

    /// So many permits, one at least.
    package init(_ count: Int) { state = Mutex(State(free: max(1, count))) }

    /// How many wait.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes a permit, and waits for one where there is none.
    ///
    /// - Throws: `CancellationError` where the task is cancelled.
    package func take() async throws -> Permit {
        try Task.checkCancellation()
        if let permit = takeNow() { return permit }
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let isTaken = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isTaken: Bool? = state.withLock { state in
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    // A cancellation that came before found nobody here.
                    if Task.isCancelled { return false }
                    state.waiters.append((number, continuation))
                    return nil
                }
                if let isTaken { continuation.resume(returning: isTaken) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(returning: false)
        }
        guard isTaken else { throw CancellationError() }
        return Permit(self)
    }

    /// Takes a permit, if one is free.
    package func takeNow() -> Permit? {
        let isTaken = state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
        return isTaken ? Permit(self) : nil
    }

    fileprivate func giveBack() {
        let next = state.withLock { state in
            let next = state.waiters.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.continuation.resume(returning: true)
    }
}

/// One of some ``Permits``. To be given back once; more often does no harm.
package final class Permit: Sendable {
    private let permits: Permits
    private let isHeld = Atomic(true)

    fileprivate init(_ permits: Permits) { self.permits = permits }

    /// Lets the next one in.
    package func giveBack() {
        if isHeld.exchange(false, ordering: .acquiringAndReleasing) { permits.giveBack() }
    }

    /// Runs a body, and gives the permit back when it returns, or when the task is cancelled and the body does not care.
    package func during<Value>(_ body: () async throws -> Value) async throws -> Value {
        defer { giveBack() }
        return try await withTaskCancellationHandler(operation: body) { giveBack() }
    }
}
