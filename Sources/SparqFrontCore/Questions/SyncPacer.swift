/// The node's questions for its topics: which wait here for their turn, and which are with the workers. A bounded number is unanswered at a time, so
/// that neither leases nor other nodes wait behind a crowd of them, and what waits here is not repeated. A value without I/O.
package struct SyncPacer: Sendable {
    /// Who waits for it.
    package enum Urgency: Sendable {
        /// A new subscriber, or events that are missing.
        case live
        /// A node that asks for all of its topics anew.
        case bulk
    }

    /// What is to be asked in one request.
    package struct Turn: Sendable, Equatable {
        package var topics: [String]
        package var urgency: Urgency
        package var attempt = 0
    }

    /// A request without an answer.
    private struct Open: Sendable {
        var version: Int
        var urgency: Urgency
        var attempt: Int
        var askedAt: Int
        /// Those of which nothing came yet, and from where they were asked for.
        var topics: [String: Int]
    }

    private let limits: SyncLimits
    private let timing: SyncTiming
    private var live = NameQueue<String>()
    private var bulk = NameQueue<String>()
    private var open: [Open] = []
    package private(set) var workers = WorkersHeard()

    package init(limits: SyncLimits, timing: SyncTiming) {
        self.limits = limits
        self.timing = timing
    }

    /// No question waits here or is unanswered.
    package var isIdle: Bool { open.isEmpty && live.isEmpty && bulk.isEmpty }
    /// Requests without an answer.
    package var unanswered: Int { open.count }

    // MARK: Inputs

    /// A topic is to be asked for. One that waits keeps its place, or gets a better one.
    package mutating func want(_ topic: String, _ urgency: Urgency) {
        takeBack(topic)
        switch urgency {
        case .live:
            bulk.remove(topic)
            live.append(topic)
        case .bulk: if !live.contains(topic) { bulk.append(topic) }
        }
    }

    /// All topics are to be asked for anew: what was asked before counts no more.
    package mutating func wantAll(_ topics: some Sequence<String>) {
        open = []
        live = NameQueue()
        bulk = NameQueue()
        for topic in topics { bulk.append(topic) }
    }

    /// A topic has its answer, or nobody wants it any more.
    package mutating func settle(_ topic: String, now: Int) {
        live.remove(topic)
        bulk.remove(topic)
        for askedAt in takeBack(topic) { workers.answered(askedAt: askedAt, now: now) }
    }

    /// Who waits for the topics of an unanswered request; others want theirs at once.
    package func urgency(of version: Int) -> Urgency { open.first { $0.version == version }?.urgency ?? .live }

    /// What a request asked for and has no answer yet, with where it was asked from.
    package func topics(of version: Int) -> [String: Int] { open.first { $0.version == version }?.topics ?? [:] }

    /// A worker answered something.
    package mutating func heard(now: Int) { workers.answer(now: now, timing: timing) }

    // MARK: Outputs

    /// What is to be asked now, if anything; ``asked(_:version:topics:now:)`` must follow.
    package mutating func next(now: Int) -> Turn? {
        if let index = open.firstIndex(where: {
            workers.isLost(askedAt: $0.askedAt, attempt: $0.attempt, now: now, timing: timing)
        }) {
            let lost = open.remove(at: index)
            return Turn(topics: lost.topics.keys.sorted(), urgency: lost.urgency, attempt: lost.attempt + 1)
        }
        if !live.isEmpty, isRoomForLive(now: now) { return Turn(topics: Self.take(limits.topics, from: &live), urgency: .live) }
        guard open.count < limits.unanswered else { return nil }
        if !bulk.isEmpty, open.count(where: { $0.urgency == .bulk }) < limits.unansweredOfBulk {
            return Turn(topics: Self.take(limits.topics, from: &bulk), urgency: .bulk)
        }
        return nil
    }

    /// A turn was sent as a request, with these topics and from where each was asked for.
    package mutating func asked(_ turn: Turn, version: Int, topics: [String: Int], now: Int) {
        guard !topics.isEmpty else { return }
        open.append(Open(version: version, urgency: turn.urgency, attempt: turn.attempt, askedAt: now, topics: topics))
    }

    // MARK: Helpers

    /// What is with a worker that stands still keeps no place from new subscribers. They leave one place to the node's other topics.
    private func isRoomForLive(now: Int) -> Bool {
        guard open.count < limits.unansweredAtMost else { return false }
        let fresh = open.count { !workers.isSlow(askedAt: $0.askedAt, now: now, timing: timing) }
        let freshLive = open.count { $0.urgency == .live && !workers.isSlow(askedAt: $0.askedAt, now: now, timing: timing) }
        return fresh < limits.unanswered && (bulk.isEmpty || freshLive < limits.unanswered - 1)
    }

    private static func take(_ count: Int, from queue: inout NameQueue<String>) -> [String] {
        var names: [String] = []
        while names.count < count, let name = queue.popFirst() { names.append(name) }
        return names
    }

    /// Takes a topic out of the unanswered requests; returns when those were sent that have all answers by it.
    @discardableResult
    private mutating func takeBack(_ topic: String) -> [Int] {
        var done: [Int] = []
        for index in open.indices.reversed() where open[index].topics.removeValue(forKey: topic) != nil && open[index].topics.isEmpty {
            done.append(open.remove(at: index).askedAt)
        }
        return done
    }
}

/// How much a node asks at once.
package struct SyncLimits: Sendable, Equatable {
    /// Topics of one `$sync`.
    package var topics: Int
    /// Such requests without an answer, of those that have not waited for long.
    package var unanswered: Int
    /// Such requests, with those that have waited for long.
    package var unansweredAtMost: Int
    /// Those among them of a node that asks for all of its topics.
    package var unansweredOfBulk: Int
    /// Pages for readers without an answer.
    package var unansweredReads: Int

    package init(
        topics: Int = 500,
        unanswered: Int = 4,
        unansweredAtMost: Int = 32,
        unansweredOfBulk: Int = 3,
        unansweredReads: Int = 64
    ) {
        self.topics = topics
        self.unanswered = unanswered
        self.unansweredAtMost = unansweredAtMost
        self.unansweredOfBulk = unansweredOfBulk
        self.unansweredReads = unansweredReads
    }
}
