import NIOConcurrencyHelpers

/// The parts of a front that runs. Thread-safe.
final class Running: Sendable {
    private let box = NIOLockedValueBox<(Hub, NodeCore)?>(nil)

    var parts: (Hub, NodeCore)? { box.withLockedValue { $0 } }

    func set(_ hub: Hub, _ core: NodeCore) { box.withLockedValue { $0 = (hub, core) } }
}
