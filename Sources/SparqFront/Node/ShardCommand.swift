import NIOCore
import SparqFrontCore
import SparqWire

/// What the node tells one event loop's shard; all of one batch of deliveries goes over in one hop, in order.
///
/// What has an ordinal counts only where the `done` of that message was the connection's last one, and was taken.
enum ShardCommand: Sendable, Equatable {
    /// A worker is through with a message.
    case done(ConnectionID, ordinal: Int, reply: ArraySlice<UInt8>?, session: Done.SessionChange?)
    /// A message is tried again later; those behind it go on.
    case postponed(ConnectionID, ordinal: Int)
    /// The node's queue is consumed again, after something may have been lost: `done`s of what is on its way now.
    case resync
    /// What ended subscriptions or connections of users may be lost: whoever is here now comes again, and is checked anew.
    case missedEnds
    /// Messages never reached a worker.
    case undelivered(ConnectionID, ordinals: [Int], ErrorCode = .unavailable)
    /// A frame for one connection.
    case send(ConnectionID, ordinal: Int? = nil, frame: ByteBuffer)
    /// Durable events for all live subscribers of a topic.
    case release(topic: String, [FrameStream.Release])
    /// An ephemeral event for all subscribers of a topic.
    case ephemeral(topic: String, frame: ByteBuffer)
    /// A connection becomes a subscriber.
    case subscribe(ConnectionID, ordinal: Int? = nil, topic: String, start: Start)
    /// A subscriber that is behind gets a page of the log.
    case page(ConnectionID, topic: String, LogPage)
    /// A subscriber that was behind gets the rest, and is live.
    case join(ConnectionID, topic: String, after: Int, through: Int, frames: [ByteBuffer])
    /// Subscribers no more. `sender` is whose message wants it of a user.
    case unsubscribe(ConnectionTarget, ordinal: Int? = nil, sender: Sender? = nil, topics: [String])
    /// Close sockets.
    case disconnect(ConnectionTarget, ordinal: Int? = nil, code: Int, reason: String)

    /// Where a new subscriber begins.
    enum Start: Sendable, Equatable {
        /// After `cursor`, the ring's `frames` and then live; `through` is the node's position.
        case live(cursor: Int, through: Int, frames: [ByteBuffer])
        /// The ring does not reach back to `cursor`: the log must be read.
        case behind(cursor: Int)

        /// What the subscriber has already.
        var cursor: Int {
            switch self {
            case .live(let cursor, _, _), .behind(let cursor): cursor
            }
        }
    }
}

/// Whom a command is for.
enum ConnectionTarget: Sendable, Equatable {
    case connection(ConnectionID)
    case user(String)
}

/// A page of a topic's log for one connection.
struct LogPage: Sendable, Equatable {
    /// The cursor that it was read for.
    var after: Int
    /// The first event's `seq`; above `after + 1` only where the log no longer reaches back.
    var first: Int
    /// The last event's `seq`; `first - 1` where it is empty.
    var last: Int
    /// All its events' frames, one behind the other.
    var frames: ByteBuffer
    /// The ring's part follows at once: nothing is to be asked.
    var isLast: Bool
}
