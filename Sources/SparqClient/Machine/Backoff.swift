/// Exponential backoff with full jitter: a random time between nothing and a bound that doubles, so that clients that lost
/// the same front do not come back together.
struct Backoff {
    /// The first bound, in milliseconds.
    let base: Int
    /// The last bound, in milliseconds.
    let cap: Int
    private var attempt = 0
    private var generator: SeededGenerator

    init(base: Int, cap: Int, seed: UInt64) {
        self.base = base
        self.cap = cap
        generator = SeededGenerator(seed: seed)
    }

    mutating func reset() { attempt = 0 }

    /// The next delay in milliseconds: `floor` and a jitter on top.
    mutating func next(floor: Int = 0) -> Int {
        let bound = min(cap, max(base, floor) << min(attempt, 20))
        attempt += 1
        return floor + Int.random(in: 0...bound, using: &generator)
    }

    /// A jittered delay that does not count as an attempt.
    mutating func jitter(upTo bound: Int) -> Int { Int.random(in: 0...bound, using: &generator) }
}
