public import DequeModule

/// The last released events of a topic, as encoded frames, bounded by count and bytes. It closes what lies between a page of the log and
/// the live stream.
@usableFromInline struct EventRing<Frame: StreamFrame>: Sendable {
    @usableFromInline var frames: Deque<Frame>
    @usableFromInline var bytes: Int
    @usableFromInline let limits: RingLimits

    @inlinable init(limits: RingLimits) {
        frames = []
        bytes = 0
        self.limits = limits
    }

    /// How many events it holds.
    @inlinable var count: Int { frames.count }

    /// Adds the event that follows the last one.
    @inlinable mutating func append(_ frame: Frame) {
        frames.append(frame)
        bytes += frame.readableBytes
        while frames.count > limits.events || bytes > limits.bytes, let oldest = frames.popFirst() { bytes -= oldest.readableBytes }
    }

    /// The last `count` events, oldest first; `count` is no more than it holds.
    @inlinable func suffix(_ count: Int) -> [Frame] { Array(frames.suffix(count)) }

    /// Forgets all: what comes does not follow.
    @inlinable mutating func removeAll() {
        frames = []
        bytes = 0
    }
}

/// Bounds of one topic's ring.
@usableFromInline package struct RingLimits: Sendable, Equatable {
    @usableFromInline package var events: Int
    @usableFromInline package var bytes: Int

    @inlinable package init(events: Int = 128, bytes: Int = 256 * 1024) {
        self.events = events
        self.bytes = bytes
    }
}
