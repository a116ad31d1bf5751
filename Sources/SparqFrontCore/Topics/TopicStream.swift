/// An event as it is written to sockets, whatever that is.
@usableFromInline package protocol StreamFrame: Sendable, Equatable {
    /// How many bytes it has.
    var readableBytes: Int { get }
}

/// One topic's events as this node releases them to its subscribers: in the order of their `seq`, each once, without gaps.
///
/// What comes early is held; what does not come in time is asked for; what was there already is dropped. Joining is the same machine: it
/// starts at the head that a worker saw, with a question on its way, and the page that answers it closes what happened in between.
///
/// Times are nanoseconds of a clock that never goes back.
@usableFromInline package struct TopicStream<Frame: StreamFrame>: Sendable {
    /// What subscribers get.
    @usableFromInline package enum Release: Equatable, Sendable {
        case event(seq: Int, frame: Frame)
        /// The log no longer holds what lies between; `first` comes next.
        case truncated(after: Int, first: Int)
        /// The log was set back below what subscribers have: their cursors mean nothing any more.
        case restarted
    }

    /// A question to the workers for what comes after ``position``.
    @usableFromInline enum Question: Sendable {
        case none
        /// To be sent when its turn comes.
        case wanted
        /// On its way, perhaps for the second time. Only a page of this version or a later one answers it: an earlier one was read before the
        /// directory was written.
        case asked(since: Int)

        @inlinable var isNone: Bool { if case .none = self { true } else { false } }
        @inlinable var isWanted: Bool { if case .wanted = self { true } else { false } }
    }

    /// The last `seq` that was released.
    @usableFromInline package internal(set) var position: Int
    /// The highest `seq` that is known to exist.
    @usableFromInline package internal(set) var head: Int
    @usableFromInline var ring: EventRing<Frame>
    @usableFromInline var held: HeldEvents<Frame>
    @usableFromInline var question: Question
    /// Since when the event after ``position`` has been missing.
    @usableFromInline var gapSince: Int?
    /// When the last event was released.
    @usableFromInline var releasedAt: Int

    /// A stream that joins at `position`, with a question to be sent.
    @inlinable package init(position: Int, ring: RingLimits) {
        self.position = position
        head = position
        self.ring = EventRing(limits: ring)
        held = HeldEvents()
        question = .wanted
        gapSince = nil
        releasedAt = 0
    }

    /// A stream with the default ring.
    @inlinable package init(position: Int) { self.init(position: position, ring: RingLimits()) }

    /// A question is to be sent.
    @inlinable package var wantsSync: Bool { question.isWanted }
    /// A question is to be sent or unanswered.
    @inlinable package var isSyncing: Bool { !question.isNone }
    /// ``tick(now:patience:)`` must be called.
    @inlinable package var needsTick: Bool { question.isNone && gapSince != nil }
    /// Events that came early.
    @inlinable package var heldCount: Int { held.count }

    /// Whether the ring holds all that comes after `cursor`.
    @inlinable package func covers(_ cursor: Int) -> Bool { cursor >= position - ring.count }

    /// What the ring holds after `cursor`; empty where nothing does.
    @inlinable package func since(_ cursor: Int) -> [Frame] { cursor < position ? ring.suffix(min(position - cursor, ring.count)) : [] }

    // MARK: Inputs

    /// A durable event came; the default bounds hold.
    @inlinable package mutating func event(_ seq: Int, _ frame: Frame, now: Int, into out: inout [Release]) {
        event(seq, frame, now: now, hold: HoldLimits(), into: &out)
    }

    /// A durable event came.
    @inlinable package mutating func event(_ seq: Int, _ frame: Frame, now: Int, hold limits: HoldLimits, into out: inout [Release]) {
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
    @inlinable package mutating func page(
        after: Int,
        first: Int,
        head: Int,
        version: Int,
        frames: [Frame],
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
    @inlinable package mutating func notice(head: Int, now: Int) {
        self.head = max(self.head, head)
        watchGap(now: now, restart: false)
    }

    /// Asks anew whatever is known: the broker or the directory may have lost something.
    @inlinable package mutating func resync() { question = .wanted }

    /// The question was sent with this version. The first answer to any attempt is good enough.
    @inlinable package mutating func asked(version: Int) {
        if question.isWanted { question = .asked(since: version) }
    }

    /// Time passed: `patience` is how long what is missing may come on another way.
    @inlinable package mutating func tick(now: Int, patience: Int) {
        if question.isNone, let gapSince, now - gapSince >= patience { question = .wanted }
    }

    /// Forgets what the ring holds where its last event was released before `time`: who joins behind that reads the log.
    @inlinable package mutating func forgetRing(before time: Int) {
        if ring.count > 0, releasedAt < time { ring.removeAll() }
    }

    // MARK: Steps

    @inlinable mutating func want() {
        if question.isNone { question = .wanted }
    }

    @inlinable mutating func release(_ frame: Frame, into out: inout [Release]) {
        position += 1
        ring.append(frame)
        out.append(.event(seq: position, frame: frame))
    }

    @inlinable mutating func releaseHeld(into out: inout [Release]) {
        while let frame = held.take(position + 1) { release(frame, into: &out) }
    }

    @inlinable mutating func jump(to position: Int) {
        held.removeAll(after: self.position, through: position)
        self.position = position
        head = max(head, position)
        ring.removeAll()
    }

    @inlinable mutating func restart(at position: Int) {
        self.position = position
        head = position
        ring.removeAll()
        held = HeldEvents()
    }

    @inlinable mutating func watchGap(now: Int, restart: Bool) {
        if head == position {
            gapSince = nil
        } else if restart || gapSince == nil {
            gapSince = now
        }
    }
}
