/// Events of one topic that came early, as encoded frames, bounded by count and bytes.
@usableFromInline struct HeldEvents<Frame: StreamFrame>: Sendable {
    @usableFromInline var frames: [Int: Frame]
    @usableFromInline var bytes: Int

    @inlinable init() {
        frames = [:]
        bytes = 0
    }

    @inlinable var isEmpty: Bool { frames.isEmpty }
    @inlinable var count: Int { frames.count }

    /// Keeps an event until its turn. False where there is no room: it is in the log.
    @inlinable mutating func insert(_ seq: Int, _ frame: Frame, limits: HoldLimits) -> Bool {
        if frames[seq] != nil { return true }
        guard frames.count < limits.events, bytes + frame.readableBytes <= limits.bytes else { return false }
        frames[seq] = frame
        bytes += frame.readableBytes
        return true
    }

    /// Takes an event whose turn it is.
    @inlinable mutating func take(_ seq: Int) -> Frame? {
        guard !frames.isEmpty, let frame = frames.removeValue(forKey: seq) else { return nil }
        bytes -= frame.readableBytes
        return frame
    }

    /// Forgets what came by another way: all up to `seq`. Nothing up to `start` is held.
    @inlinable mutating func removeAll(after start: Int, through seq: Int) {
        // A page of few events must not cost a look at all that is held.
        if seq - start < frames.count {
            for seq in start..<max(start, seq) { _ = take(seq + 1) }
        } else if !frames.isEmpty {
            frames = frames.filter { $0.key > seq }
            bytes = frames.values.reduce(0) { $0 + $1.readableBytes }
        }
    }
}

/// Bounds of what is held of one topic.
@usableFromInline package struct HoldLimits: Sendable, Equatable {
    @usableFromInline package var events: Int
    @usableFromInline package var bytes: Int

    @inlinable package init(events: Int = 1024, bytes: Int = 1 << 20) {
        self.events = events
        self.bytes = bytes
    }
}
