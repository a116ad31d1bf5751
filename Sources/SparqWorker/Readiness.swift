import Synchronization

/// Ready means: consuming, able to publish, and the database can be reached.
final class Readiness: Sendable {
    enum Part: Hashable, Sendable { case consumer, publisher, database }

    private struct State {
        var ready: Set<Part> = []
        var isStopping = false
        var reported = false
    }

    private let state = Mutex(State())
    private let onChange: @Sendable (Bool) -> Void

    init(onChange: @escaping @Sendable (Bool) -> Void) { self.onChange = onChange }

    func set(_ part: Part, _ isReady: Bool) {
        change { state in
            if isReady { state.ready.insert(part) } else { state.ready.remove(part) }
        }
    }

    func stop() { change { $0.isStopping = true } }

    private func change(_ body: (inout State) -> Void) {
        // Told under the lock, so that the changes come in order.
        state.withLock { state in
            body(&state)
            let isReady = state.ready.count == 3 && !state.isStopping
            guard isReady != state.reported else { return }
            state.reported = isReady
            onChange(isReady)
        }
    }
}
