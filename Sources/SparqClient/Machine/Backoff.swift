/// Exponential backoff with full jitter: a random time between nothing and a bound that doubles, so that clients that lost
/// the same front do not come back together.
///
/// The bound is no more than half of what the outage has lasted, so that who comes back after a short one is found soon.
struct Backoff {
    /// The first bound, in milliseconds.
    let base: Int
    /// The last bound, in milliseconds.
    let cap: Int
    private var attempt = 0
    /// When the first of these attempts failed.
    private var since: Int?
    private var generator: SeededGenerator

    init(base: Int, cap: Int, seed: UInt64) {
        self.base = base
        self.cap = cap
        generator = SeededGenerator(seed: seed)
    }

    /// The outage is over.
    mutating func reset() { (attempt, since) = (0, nil) }

    /// The next delay in milliseconds: `floor`, and a jitter on top whose bound is no smaller, up to the cap.
    mutating func next(now: Int, floor: Int = 0) -> Int {
        let lasted = now - (since ?? now)
        since = since ?? now
        defer { attempt += 1 }
        return delay(attempt: attempt, floor: floor, lasted: lasted)
    }

    /// The same for something else that is tried again, and counted elsewhere.
    mutating func delay(attempt: Int, floor: Int = 0, lasted: Int = .max) -> Int {
        let bound = min(cap, base << min(max(attempt, 0), 20), max(base, lasted / 2))
        return floor + Int.random(in: 0...max(bound, min(floor, cap)), using: &generator)
    }
}

/// Random numbers that are the same for the same seed (SplitMix64), so that a run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
