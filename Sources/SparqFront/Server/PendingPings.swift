import NIOCore

/// Pings that one read brought and that have no pong yet.
struct PendingPings {
    /// More of them are a flood: of those the last one is answered alone, as RFC 6455 allows (section 5.5.3).
    static let limit = 16

    private var payloads: [ByteBuffer] = []
    private var isFlood = false

    mutating func add(_ payload: ByteBuffer) {
        if self.payloads.count == Self.limit { self.isFlood = true }
        if self.isFlood { self.payloads.removeAll(keepingCapacity: true) }
        self.payloads.append(payload)
    }

    /// Forgets all but the last.
    mutating func keepLast() { self.payloads.removeFirst(max(0, self.payloads.count - 1)) }

    /// The payloads to answer, in order; none is left.
    mutating func take() -> [ByteBuffer] {
        defer { self = PendingPings() }
        return self.payloads
    }
}
