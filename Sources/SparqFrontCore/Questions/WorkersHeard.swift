/// Whether workers are heard, by which what is lost is told from what only waits: while nobody answers, a question lies in a queue, and asking again
/// would only make the queue longer. A value without I/O.
///
/// Times are nanoseconds of a clock that never goes back.
package struct WorkersHeard: Sendable {
    /// When a worker answered something last.
    private var lastTime = Int.min
    /// Since when they have answered without a long silence.
    private var since = Int.min
    /// How long the last question took.
    private var roundTrip = 0

    /// An answer came.
    package mutating func answer(now: Int, timing: SyncTiming) {
        if lastTime == .min || now - lastTime > timing.silence { since = now }
        lastTime = now
    }

    /// A question that was asked then has its answer.
    package mutating func answered(askedAt: Int, now: Int) { roundTrip = now - askedAt }

    /// Whether a question waits for longer than most, though others were answered since: the worker that has it stands still.
    package func isSlow(askedAt: Int, now: Int, timing: SyncTiming) -> Bool {
        lastTime > askedAt && now - askedAt >= max(timing.slow, 4 * roundTrip)
    }

    /// Whether a question without an answer is to be asked again: others were answered since, and it had its time; or it has waited so long that the
    /// broker has dropped it.
    package func isLost(askedAt: Int, attempt: Int, now: Int, timing: SyncTiming) -> Bool {
        if now - askedAt >= timing.expiry { return true }
        return lastTime > askedAt && now - max(askedAt, since) >= timing.retry(attempt, roundTrip: roundTrip)
    }
}

/// How long a node waits for what is missing. Nanoseconds.
package struct SyncTiming: Sendable, Equatable {
    /// From noticing a gap to asking: what comes on another way needs a moment.
    package var patience: Int
    /// From a question to its first repetition, where the last ones were answered in a quarter of it; the next ones take twice as long each.
    package var firstRetry: Int
    /// After so long without an answer a question is a slow one, where the last ones were answered in a quarter of it.
    package var slow: Int
    /// The longest time between two questions.
    package var longestRetry: Int
    /// After so long a silence of the workers what they find in their queue has its time anew. Longer than from one lease to the next.
    package var silence: Int
    /// What has waited so long at the broker is dropped there.
    package var expiry: Int

    package init(
        patience: Int = 250_000_000,
        firstRetry: Int = 3_000_000_000,
        slow: Int = 500_000_000,
        longestRetry: Int = 30_000_000_000,
        silence: Int = 10_000_000_000,
        expiry: Int = 60_000_000_000
    ) {
        self.patience = patience
        self.firstRetry = firstRetry
        self.slow = slow
        self.longestRetry = longestRetry
        self.silence = silence
        self.expiry = expiry
    }

    /// The time from the attempt (0 is the first) to the next one.
    ///
    /// - Parameter roundTrip: how long the last question took.
    func retry(_ attempt: Int, roundTrip: Int = 0) -> Int {
        min(max(firstRetry, min(4 * roundTrip, longestRetry)) << min(attempt, 8), longestRetry)
    }
}
