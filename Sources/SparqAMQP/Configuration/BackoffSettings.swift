/// How long to wait between attempts to connect: a random time between zero and a ceiling that doubles with every failure
/// ("full jitter"), so that many clients do not come back in step.
public struct BackoffSettings: Sendable, Hashable {
    /// The ceiling after the first failure.
    public var initial: Duration
    /// The highest ceiling.
    public var maximum: Duration

    /// From 0.1 to 10 seconds unless told otherwise.
    public init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(10)) {
        self.initial = initial
        self.maximum = maximum
    }
}
