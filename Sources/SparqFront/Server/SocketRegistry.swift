import NIOConcurrencyHelpers
import NIOCore
import SparqWebSocket

/// All open sockets of a server, over its event loops. A socket counts until its TCP connection is gone.
final class SocketRegistry: Sendable {
    private struct State {
        var open = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
    }

    private let state = NIOLockedValueBox(State())
    private let sweeps = NIOLockedValueBox<[ObjectIdentifier: NIOLoopBound<SocketSweep>]>([:])
    private let limits: SocketLimits

    init(limits: SocketLimits) { self.limits = limits }

    /// Sockets whose TCP connection is open.
    var count: Int { self.state.withLockedValue { $0.open } }

    /// Returns when no socket is open, or when the task is cancelled.
    func allClosed() async {
        let id = self.state.withLockedValue { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = self.state.withLockedValue { state in
                    if state.open == 0 || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            self.state.withLockedValue { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    /// Starts the close handshake on every open socket.
    func closeAll(_ code: CloseCode, reason: String = "") {
        for sweep in self.sweeps.withLockedValue({ Array($0.values) }) {
            sweep.eventLoop.execute {
                for socket in sweep.value.sockets { socket.close(code, reason: reason) }
            }
        }
    }

    /// The sweep of the event loop that this is called on.
    func sweep(on eventLoop: any EventLoop) -> SocketSweep {
        eventLoop.preconditionInEventLoop()
        return self.sweeps.withLockedValue { sweeps in
            if let sweep = sweeps[ObjectIdentifier(eventLoop)] { return sweep }
            let sweep = NIOLoopBound(
                SocketSweep(eventLoop: eventLoop, limits: self.limits, registry: self),
                eventLoop: eventLoop
            )
            sweeps[ObjectIdentifier(eventLoop)] = sweep
            return sweep
        }.value
    }

    func opened() { self.state.withLockedValue { $0.open += 1 } }

    func closed() {
        let waiters = self.state.withLockedValue { state in
            state.open -= 1
            guard state.open == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }
}
