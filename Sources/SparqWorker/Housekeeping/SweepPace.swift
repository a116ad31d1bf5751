/// How many rows the next piece of a sweep has, and how long the sweep rests before it. A value without a clock.
///
/// A sweep rests for as long as it worked, so that it takes half of one connection's time, unless it is behind: then what comes in by all connections
/// must go by this one. Large pieces cost less for each row, as the rows of a topic go together.
struct SweepPace: Equatable, Sendable {
    /// The least and the most rows of a piece.
    static let sizes = 1000...8000
    /// How long a piece should take.
    static let times: ClosedRange<Duration> = .milliseconds(50)...(.milliseconds(200))

    /// Rows of the next piece.
    private(set) var size = SweepPace.sizes.lowerBound

    /// A piece is done; returns how long to rest now.
    mutating func worked(_ time: Duration, isBehind: Bool) -> Duration {
        if time < Self.times.lowerBound { size = min(size * 2, Self.sizes.upperBound) }
        if time > Self.times.upperBound { size = max(size / 2, Self.sizes.lowerBound) }
        return isBehind ? .zero : time
    }
}
