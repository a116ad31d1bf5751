import NIOConcurrencyHelpers
import SparqFrontCore

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

/// What a shard tells the node.
enum NodeInput: Sendable, Equatable {
    /// A subscriber is gone.
    case left(ConnectionID, topic: String)
    /// A subscription came to nothing: the connection is gone, or a subscriber already.
    case refused(topic: String, shard: Int)
    /// A subscriber that is behind can take a page of what comes after `after`.
    case more(ConnectionID, topic: String, after: Int)
    /// The node's queue is consumed again, after something may have been lost.
    case resync
    /// What ended subscriptions or connections of users may be lost with what was dropped, and nobody sends it again.
    case missedEnds
}
