import NIOConcurrencyHelpers

/// A port that becomes known once, and those who wait for it.
final class BoundPort: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Int?, Never>])
        case known(Int?)
    }

    private let state = NIOLockedValueBox(State.waiting([]))

    var value: Int? {
        get async {
            await withCheckedContinuation { continuation in
                let known: Int?? = self.state.withLockedValue { state in
                    switch state {
                    case .known(let port): return .some(port)
                    case .waiting(let waiters):
                        state = .waiting(waiters + [continuation])
                        return nil
                    }
                }
                if let known { continuation.resume(returning: known) }
            }
        }
    }

    /// The first call counts.
    func bound(_ port: Int?) {
        let waiters = self.state.withLockedValue { state in
            guard case .waiting(let waiters) = state else { return [CheckedContinuation<Int?, Never>]() }
            state = .known(port)
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: port) }
    }
}
