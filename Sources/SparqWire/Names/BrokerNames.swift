/// Names of exchanges and queues (docs/internals/ARCHITECTURE.md, "Names at the broker").
public struct BrokerNames: Equatable, Sendable {
    /// How long a node's queue outlives its reader, beside the time of a lease.
    public static let nodeQueuePatience: Duration = .seconds(60)

    /// What all names begin with; `sparq`, unless several stacks share a broker's virtual host.
    public let prefix: String

    /// Names that begin with `prefix`.
    public init(prefix: String = "sparq") { self.prefix = prefix }

    /// Direct exchange that fronts publish to; the routing key is the lane.
    public var inbound: String { "\(prefix).inbound" }
    /// Direct exchange that workers publish to; the routing key is the node's id.
    public var delivery: String { "\(prefix).delivery" }
    /// Queue of messages that failed in passing; they return when their time is over.
    public var retry: String { "\(prefix).retry" }
    /// Queue of messages that failed for good.
    public var dead: String { "\(prefix).dead" }
    /// Quorum queue of a lane.
    public func work(lane: String) -> String { "\(prefix).work.\(lane)" }
    /// Quorum queue of what workers of a lane may have died over.
    public func suspect(lane: String) -> String { "\(prefix).suspect.\(lane)" }
    /// A node's exchange.
    public func node(_ id: String) -> String { "\(prefix).node.\(id)" }
    /// The exclusive queue by which a node keeps its id to itself. Nothing is ever in it.
    public func nodeClaim(_ id: String) -> String { "\(node(id)).claim" }
    /// The queue to which the broker moves what the node's queue drops, of which it keeps one message: a sign that something was dropped.
    public func nodeLosses(_ queue: String) -> String { "\(queue)\(Self.lossesSuffix)" }
    /// Whether a routing key names such a queue.
    public static func isOfLosses(_ routingKey: String) -> Bool { routingKey.hasSuffix(lossesSuffix) }
    private static let lossesSuffix = ".lost"
    /// The queue that is bound to a node's exchange: the `number`th of one life of the node.
    public func nodeQueue(_ id: String, incarnation: String, number: Int) -> String { "\(node(id)).\(incarnation).\(number)" }
}
