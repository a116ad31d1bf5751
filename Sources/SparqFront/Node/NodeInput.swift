import SparqFrontCore

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
