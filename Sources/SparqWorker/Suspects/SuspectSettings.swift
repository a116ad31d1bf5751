#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// When workers take messages that others may have died over, and for how long such a message can be blamed.
public struct SuspectSettings: Sendable, Equatable {
    /// A worker takes none before it has lived for a random time of this range: so workers that die one soon after the other, for another reason,
    /// die without one.
    public var minimalAge: ClosedRange<Duration> = .seconds(1) ... .seconds(5)
    /// The same for those that workers died over alone: so many of the workers that die for another reason die without one of these. Short times of the
    /// range are as likely as long ones: as often as from 1 to 2 it is from 30 to 60.
    public var retrialAge: ClosedRange<Duration> = .seconds(1) ... .seconds(60)
    /// How often a worker says that it lives.
    public var renewal: Duration = .seconds(2)
    /// A worker that was silent for so long is taken for dead.
    public var deadAfter: Duration = .seconds(6)
    /// What has not killed its worker within this time is not what kills, and holds up no other one.
    public var patience: Duration = .seconds(10)
    /// The pause after the first death over a message; it doubles with each further one. Also the time that what is put off waits in its queue: part of
    /// that queue's name.
    public var pause: Duration = .seconds(2)
    /// The longest pause.
    public var longestPause: Duration = .seconds(60)
    /// So many deaths over it alone, at least, before a message is given up.
    public var deaths = 5

    /// The defaults.
    public init() {}
}

extension ClosedRange<Duration> {
    /// A random time of the range.
    var any: Duration { lowerBound + (upperBound - lowerBound) * Double.random(in: 0...1) }

    /// A random time of the range; from one length to its double as likely as from any other to its own.
    var mostlyShort: Duration {
        let shortest = Swift.max(lowerBound, .milliseconds(1))
        return shortest * pow(upperBound / shortest, Double.random(in: 0...1))
    }
}
