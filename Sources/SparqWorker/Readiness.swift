import Synchronization

/// Ready means: consuming, able to publish, and the database can be reached.
final class Readiness: Sendable {
    enum Part: Hashable, Sendable, CaseIterable { case consumer, nodeConsumer, publisher, database, nodeDatabase }

    private struct State {
        var ready: Set<Part> = []
        var isStopping = false
        var reported = false
        var readySince: ContinuousClock.Instant?
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

    /// How long all parts have been there without a break.
    var calm: Duration { state.withLock { state in state.readySince.map { .now - $0 } ?? .zero } }

    private func change(_ body: (inout State) -> Void) {
        // Told under the lock, so that the changes come in order.
        state.withLock { state in
            body(&state)
            let isReady = state.ready.count == Part.allCases.count && !state.isStopping
            guard isReady != state.reported else { return }
            state.reported = isReady
            state.readySince = isReady ? .now : nil
            onChange(isReady)
        }
    }
}
