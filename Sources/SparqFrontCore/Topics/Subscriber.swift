/// Where one connection stands in one topic. It sees each event once and in order: first from the log, page by page as its socket drains,
/// then from the node's ring, then live.
///
/// What comes for it says which cursor it was made for, so that an answer to an older question can do no harm.
@usableFromInline package struct Subscriber: Equatable, Sendable {
    @usableFromInline package enum Phase: UInt8, Sendable {
        /// Gets what the node releases.
        case live
        /// A page has been asked for.
        case asking
        /// The next page is to be asked for, when the socket has room and it is this topic's turn.
        case waiting
    }

    @usableFromInline package private(set) var phase: Phase
    /// The last `seq` that it has. While live: what is not above it is passed over; it does not move on.
    @usableFromInline package private(set) var cursor: Int
    /// The `seq` behind which it has been given all.
    package let start: Int

    /// A subscriber that gets the ring's part, up to `through`, and is live.
    package static func live(cursor: Int, through: Int) -> Subscriber {
        Subscriber(phase: .live, cursor: max(cursor, through), start: cursor)
    }

    /// A subscriber for which the log must be read.
    package static func behind(cursor: Int) -> Subscriber { Subscriber(phase: .waiting, cursor: cursor, start: cursor) }

    private init(phase: Phase, cursor: Int, start: Int) {
        self.phase = phase
        self.cursor = cursor
        self.start = start
    }

    /// Whether a released event is for it. Asked for each subscriber of each event.
    @inlinable package func takes(_ seq: Int) -> Bool {
        guard case .live = phase else { return false }
        return seq > cursor
    }

    /// A page came. Returns whether it is for this subscriber as it is now.
    package mutating func page(after: Int, last: Int) -> Bool {
        guard phase == .asking, after == cursor else { return false }
        cursor = max(cursor, last)
        phase = .waiting
        return true
    }

    /// What came finds no room in the socket: it is to be asked for again.
    package mutating func postpone() {
        if phase == .asking { phase = .waiting }
    }

    /// The ring's part came: from now on it is live. Returns whether it is for this subscriber as it is now.
    package mutating func join(after: Int, through: Int) -> Bool {
        guard phase != .live, after == cursor else { return false }
        cursor = max(cursor, through)
        phase = .live
        return true
    }

    /// Its turn has come. Returns the cursor to ask with, if there is something to ask.
    package mutating func ask() -> Int? {
        guard phase == .waiting else { return nil }
        phase = .asking
        return cursor
    }
}
