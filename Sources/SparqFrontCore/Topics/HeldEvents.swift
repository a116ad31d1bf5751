import NIOCore

/// Events of one topic that came early, as encoded frames, bounded by count and bytes.
struct HeldEvents: Sendable {
    private var frames: [Int: ByteBuffer] = [:]
    private var bytes = 0

    var isEmpty: Bool { frames.isEmpty }
    var count: Int { frames.count }

    /// Keeps an event until its turn. False where there is no room: it is in the log.
    mutating func insert(_ seq: Int, _ frame: ByteBuffer, limits: HoldLimits) -> Bool {
        if frames[seq] != nil { return true }
        guard frames.count < limits.events, bytes + frame.readableBytes <= limits.bytes else { return false }
        frames[seq] = frame
        bytes += frame.readableBytes
        return true
    }

    /// Takes an event whose turn it is.
    mutating func take(_ seq: Int) -> ByteBuffer? {
        guard !frames.isEmpty, let frame = frames.removeValue(forKey: seq) else { return nil }
        bytes -= frame.readableBytes
        return frame
    }

    /// Forgets what came by another way: all up to `seq`. Nothing up to `start` is held.
    mutating func removeAll(after start: Int, through seq: Int) {
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
struct HoldLimits: Sendable, Equatable {
    var events = 1024
    var bytes = 1 << 20
}
