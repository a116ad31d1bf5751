/// A token bucket in one number: the time at which it will be full again (the "generic cell rate algorithm").
@usableFromInline package struct TokenBucket: Sendable {
    /// How fast a bucket fills and how much it holds.
    @usableFromInline package struct Rate: Sendable, Equatable {
        /// Nanoseconds for one token.
        @usableFromInline package let interval: Int
        /// Tokens in a full bucket.
        @usableFromInline package let burst: Int

        /// `perSecond` tokens a second; both numbers are at least 1.
        package init(perSecond: Int, burst: Int) {
            interval = 1_000_000_000 / max(perSecond, 1)
            self.burst = max(burst, 1)
        }
    }

    @usableFromInline var fullAt: Int

    @inlinable package init() { fullAt = .min }

    /// Takes a token, if there is one. `now` in nanoseconds of a clock that never goes back.
    @inlinable package mutating func take(_ rate: Rate, now: Int) -> Bool {
        let fullAt = max(fullAt, now)
        guard fullAt - now <= rate.interval * (rate.burst - 1) else { return false }
        self.fullAt = fullAt + rate.interval
        return true
    }

    /// Takes so many tokens, or all that there are. Returns whether there was one. `now` as for ``take(_:now:)``.
    package mutating func takeAll(_ count: Int, _ rate: Rate, now: Int) -> Bool {
        let hadOne = wait(rate, now: now) == 0
        fullAt = min(max(fullAt, now) + rate.interval * min(count, rate.burst), now + rate.interval * rate.burst)
        return hadOne
    }

    /// Nanoseconds until there is a token; 0 where there is one.
    package func wait(_ rate: Rate, now: Int) -> Int { max(0, max(fullAt, now) - now - rate.interval * (rate.burst - 1)) }
}
