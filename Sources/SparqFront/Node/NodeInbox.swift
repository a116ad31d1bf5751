import NIOConcurrencyHelpers

/// What shards and the broker's threads have to tell the node, in order. Thread-safe.
final class NodeInbox: Sendable {
    private let inputs = NIOLockedValueBox<[NodeInput]>([])
    private let continuation: AsyncStream<Void>.Continuation
    /// An element when there is something to take. For one reader.
    let signals: AsyncStream<Void>

    init() {
        (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func add(_ new: [NodeInput]) {
        let isFirst = inputs.withLockedValue { inputs in
            defer { inputs += new }
            return inputs.isEmpty
        }
        if isFirst { continuation.yield() }
    }

    func take() -> [NodeInput] {
        inputs.withLockedValue { inputs in
            defer { inputs = [] }
            return inputs
        }
    }
}
