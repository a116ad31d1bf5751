/// Exponential backoff with full jitter, as a value.
struct Backoff: Equatable {
    let settings: BackoffSettings
    /// How many failures there were since the last ``reset()``.
    private(set) var failures = 0

    init(_ settings: BackoffSettings) { self.settings = settings }

    /// The ceiling for the next delay.
    var ceiling: Duration {
        guard settings.initial < settings.maximum else { return settings.maximum }
        var ceiling = settings.initial
        for _ in 0..<failures {
            ceiling = ceiling * 2
            if ceiling >= settings.maximum { return settings.maximum }
        }
        return ceiling
    }

    /// Counts a failure, and says how long to wait: between zero and the ceiling.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let delay = ceiling * Double.random(in: 0...1, using: &generator)
        failures += 1
        return delay
    }

    mutating func reset() { failures = 0 }
}
