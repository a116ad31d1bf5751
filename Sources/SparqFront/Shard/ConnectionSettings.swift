import SparqFrontCore
import SparqWire

/// What all connections of a front have in common. Times in nanoseconds.
struct ConnectionSettings: Sendable {
    var node: String
    /// Which lane serves which type.
    var lanes = LaneMap()
    var heartbeatMilliseconds = 25_000
    var messageBytes = 64 * 1024
    /// Topics of one connection.
    var topics = 512
    /// Messages of one lane without an answer at which a socket is not read any more.
    var inFlight = 64
    /// Bytes of messages of one lane that wait behind those on their way, at which a socket is not read any more.
    var waitingBytes = 256 * 1024
    var messagesPerSecond = 100
    var burst = 200
    /// Bytes that wait to be written at which the socket is closed. Above half of it ephemeral events are dropped.
    var outboundBytes = 1 << 20
    /// A message without an answer for this long gets `unavailable`.
    var replyDeadline = 10_000_000_000
    /// A message that has not been finished this long after that is given up: its lane goes on without it.
    var stuckPatience = 50_000_000_000
    /// The window over which those are moved away who must come again.
    var recallWindow = 5_000_000_000
    /// Between two looks at the deadlines.
    var sweepInterval = 500_000_000

    var laneLimits: InFlight.Limits {
        // Two are always there, `default` and `node`: clients use only the first of them.
        InFlight.Limits(messages: inFlight, bytes: waitingBytes, isAlone: lanes.names.count <= 2)
    }

    var rate: TokenBucket.Rate { TokenBucket.Rate(perSecond: messagesPerSecond, burst: burst) }
}
