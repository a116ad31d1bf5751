package import NIOCore

/// One topic's events as this node releases them to its subscribers: in the order of their `seq`, each once, without gaps.
///
/// What comes early is held; what does not come in time is asked for; what was there already is dropped. Joining is the same machine: it
/// starts at the head that a worker saw, with a question on its way, and the page that answers it closes what happened in between.
///
/// Times are nanoseconds of a clock that never goes back.
package struct TopicStream: Sendable {
    /// What subscribers get.
    package enum Release: Equatable, Sendable {
        case event(seq: Int, frame: ByteBuffer)
        /// The log no longer holds what lies between; `first` comes next.
        case truncated(after: Int, first: Int)
        /// The log was set back below what subscribers have: their cursors mean nothing any more.
        case restarted
    }

    /// A question to the workers for what comes after ``position``.
    private enum Question: Equatable {
        case none
        /// To be sent when its turn comes.
        case wanted
        /// On its way, perhaps for the second time. Only a page of this version or a later one answers it: an earlier one was read before the
        /// directory was written.
        case asked(since: Int)
    }

    /// The last `seq` that was released.
    private(set) var position: Int
    /// The highest `seq` that is known to exist.
    private(set) var head: Int
    private(set) var ring: EventRing
    private var held = HeldEvents()
    private var question: Question
    /// Since when the event after ``position`` has been missing.
    private var gapSince: Int?
    /// When the last event was released.
    private var releasedAt = 0

    /// A stream that joins at `position`, with a question to be sent.
    init(position: Int, ring: RingLimits) {
        self.position = position
        head = position
        self.ring = EventRing(limits: ring)
        question = .wanted
    }

    /// A stream with the default ring.
    package init(position: Int) { self.init(position: position, ring: RingLimits()) }

    /// A question is to be sent.
    var wantsSync: Bool { question == .wanted }
    /// A question is to be sent or unanswered.
    var isSyncing: Bool { question != .none }
    /// ``tick(now:patience:)`` must be called.
    var needsTick: Bool { question == .none && gapSince != nil }
    /// Events that came early.
    var heldCount: Int { held.count }

    /// Whether the ring holds all that comes after `cursor`.
    func covers(_ cursor: Int) -> Bool { cursor >= position - ring.count }

    /// What the ring holds after `cursor`; empty where nothing does.
    func since(_ cursor: Int) -> [ByteBuffer] { cursor < position ? ring.suffix(min(position - cursor, ring.count)) : [] }

    // MARK: Inputs

    /// A durable event came; the default bounds hold.
    package mutating func event(_ seq: Int, _ frame: ByteBuffer, now: Int, into out: inout [Release]) {
        event(seq, frame, now: now, hold: HoldLimits(), into: &out)
    }

    /// A durable event came.
    mutating func event(_ seq: Int, _ frame: ByteBuffer, now: Int, hold limits: HoldLimits, into out: inout [Release]) {
        guard seq > position else { return }
        head = max(head, seq)
        if seq == position + 1 {
            release(frame, into: &out)
            releaseHeld(into: &out)
            releasedAt = now
            watchGap(now: now, restart: true)
        } else {
            if !held.insert(seq, frame, limits: limits) { want() }
            watchGap(now: now, restart: false)
        }
    }

    /// A piece of the log came. `frames` are the events from `first` on, without gaps.
    mutating func page(
        after: Int,
        first: Int,
        head: Int,
        version: Int,
        frames: [ByteBuffer],
        now: Int,
        into out: inout [Release]
    ) {
        if head < after {
            // The log ends below what this node has seen: the database is an older one. What was released cannot be called back.
            if position >= after {
                restart(at: head)
                out.append(.restarted)
            }
        } else if after <= position {
            let before = position
            if first > position + 1 {
                out.append(.truncated(after: position, first: first))
                jump(to: first - 1)
            }
            for (offset, frame) in frames.enumerated() where first + offset == position + 1 { release(frame, into: &out) }
            releasedAt = now
            self.head = max(self.head, max(head, position))
            // The page may have brought what was held.
            held.removeAll(after: before, through: position)
            releaseHeld(into: &out)
        } else {
            return
        }
        if case .asked(let since) = question, version >= since {
            // The page may have ended below the head that it names; an empty one that does is left to the gap's patience.
            question = position < head && !frames.isEmpty && first + frames.count - 1 < head ? .wanted : .none
        }
        watchGap(now: now, restart: true)
    }

    /// A worker saw the log reach up to `head`.
    mutating func notice(head: Int, now: Int) {
        self.head = max(self.head, head)
        watchGap(now: now, restart: false)
    }

    /// Asks anew whatever is known: the broker or the directory may have lost something.
    mutating func resync() { question = .wanted }

    /// The question was sent with this version. The first answer to any attempt is good enough.
    mutating func asked(version: Int) {
        if question == .wanted { question = .asked(since: version) }
    }

    /// Time passed: `patience` is how long what is missing may come on another way.
    mutating func tick(now: Int, patience: Int) {
        if question == .none, let gapSince, now - gapSince >= patience { question = .wanted }
    }

    /// Forgets what the ring holds where its last event was released before `time`: who joins behind that reads the log.
    mutating func forgetRing(before time: Int) {
        if ring.count > 0, releasedAt < time { ring.removeAll() }
    }

    // MARK: Steps

    private mutating func want() {
        if question == .none { question = .wanted }
    }

    private mutating func release(_ frame: ByteBuffer, into out: inout [Release]) {
        position += 1
        ring.append(frame)
        out.append(.event(seq: position, frame: frame))
    }

    private mutating func releaseHeld(into out: inout [Release]) {
        while let frame = held.take(position + 1) { release(frame, into: &out) }
    }

    private mutating func jump(to position: Int) {
        held.removeAll(after: self.position, through: position)
        self.position = position
        head = max(head, position)
        ring.removeAll()
    }

    private mutating func restart(at position: Int) {
        self.position = position
        head = position
        ring.removeAll()
        held = HeldEvents()
    }

    private mutating func watchGap(now: Int, restart: Bool) {
        if head == position {
            gapSince = nil
        } else if restart || gapSince == nil {
            gapSince = now
        }
    }
}
