/// How long to wait before the next attempt: doubling from ``initial`` to ``maximum``, each time with "equal jitter"
/// (a random part of one half), so that many processes do not come back in step.
public struct PostgresBackoff: Sendable, Hashable {
    /// The delay after the first failure.
    public var initial: Duration
    /// The longest delay.
    public var maximum: Duration

    /// A backoff between two bounds.
    public init(initial: Duration = .milliseconds(50), maximum: Duration = .seconds(2)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The delay after so many failures in a row; none after zero.
    ///
    /// - Parameter random: a number in 0 ..< 1, the jitter.
    func delay(failures: Int, random: Double) -> Duration {
        guard failures > 0 else { return .zero }
        var full = initial
        for _ in 1..<min(failures, 32) where full < maximum {
            full *= 2
        }
        full = min(full, maximum)
        return full / 2 + full / 2 * random
    }
}
