public import NIOCore
public import SparqFrontCore
import SparqWire

/// What one batch of work on the node's state asks of the world.
struct NodeActions: Sendable, Equatable {
    /// For each shard, in order.
    var commands: [[ShardCommand]]
    /// To the workers.
    var syncs: [SyncRequest] = []
    /// To the workers.
    var leaves: [LeaveRequest] = []
    /// To the workers.
    var reads: [ReadRequest] = []

    init(shards: Int) { commands = Array(repeating: [], count: shards) }

    /// Releases events to a shard; together with those before them where they are of the same topic, so that each socket gets them in one
    /// piece.
    mutating func release(_ releases: [FrameStream.Release], of topic: String, to shard: Int) {
        guard case .release(let last, _)? = commands[shard].last, last == topic,
            // Taken out first: what is held twice would be copied.
            case .release(_, var together)? = commands[shard].popLast()
        else {
            commands[shard].append(.release(topic: topic, releases))
            return
        }
        together += releases
        commands[shard].append(.release(topic: topic, together))
    }
}

/// What the node has counted since it started.
struct NodeCounters: Sendable, Equatable {
    /// Lines that came over the node's queue.
    var deliveries = 0
    /// Durable events that were there already.
    var duplicates = 0
    /// Durable events that came early.
    var gaps = 0
    /// Events of topics that nobody here subscribes to.
    var strays = 0
    /// Topics asked for in `$sync` messages.
    var syncs = 0
    /// Pages asked for in `$read` messages.
    var reads = 0
}

/// The core sequences whatever is written to sockets; here these are encoded frames.
package typealias FrameStream = TopicStream<ByteBuffer>

extension ByteBuffer: StreamFrame {}
