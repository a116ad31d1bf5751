import Synchronization

/// Ready means: consuming, able to publish, the database can be reached and does what it is asked, and handlers get on.
final class WorkerReadiness: Sendable {
    enum Part: Hashable, Sendable, CaseIterable {
        case consumer, nodeConsumer, publisher, database, nodeDatabase
        /// The database does what Sparq asks by itself.
        case work
        /// It has, and allows, what handlers ask for.
        case handlers
        /// Handlers end.
        case progress

        static let connections: Set<Self> = [.consumer, .nodeConsumer, .publisher, .database, .nodeDatabase]
    }

    private struct State {
        /// Of the last ones nothing is known until something goes wrong.
        var ready: Set<Part> = [.work, .handlers, .progress]
        var isStopping = false
        var reported = false
        var connectedSince: ContinuousClock.Instant?
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

    /// How long all connections have been there without a break.
    var calm: Duration { state.withLock { state in state.connectedSince.map { .now - $0 } ?? .zero } }

    private func change(_ body: (inout State) -> Void) {
        // Told under the lock, so that the changes come in order.
        state.withLock { state in
            body(&state)
            // What handlers ask for in vain must not keep dead nodes from being found.
            let isConnected = state.ready.isSuperset(of: Part.connections) && !state.isStopping
            if isConnected != (state.connectedSince != nil) { state.connectedSince = isConnected ? .now : nil }
            let isReady = state.ready.count == Part.allCases.count && !state.isStopping
            guard isReady != state.reported else { return }
            state.reported = isReady
            onChange(isReady)
        }
    }
}
