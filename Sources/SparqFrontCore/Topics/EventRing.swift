import DequeModule
import NIOCore

/// The last released events of a topic, as encoded frames, bounded by count and bytes. It closes what lies between a page of the log and
/// the live stream.
struct EventRing: Sendable {
    private var frames: Deque<ByteBuffer> = []
    private var bytes = 0
    private let limits: RingLimits

    init(limits: RingLimits) { self.limits = limits }

    /// How many events it holds.
    var count: Int { frames.count }

    /// Adds the event that follows the last one.
    mutating func append(_ frame: ByteBuffer) {
        frames.append(frame)
        bytes += frame.readableBytes
        while frames.count > limits.events || bytes > limits.bytes, let oldest = frames.popFirst() { bytes -= oldest.readableBytes }
    }

    /// The last `count` events, oldest first; `count` is no more than it holds.
    func suffix(_ count: Int) -> [ByteBuffer] { Array(frames.suffix(count)) }

    /// Forgets all: what comes does not follow.
    mutating func removeAll() {
        frames = []
        bytes = 0
    }
}

/// Bounds of one topic's ring.
struct RingLimits: Sendable, Equatable {
    var events = 128
    var bytes = 256 * 1024
}
