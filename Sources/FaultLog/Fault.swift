/// A fault that may last: which of its occurrences are worth a line. A value without a clock of its own.
///
/// The first one is told at once, then one in each interval with the number of those between, and the end. A fault that was not seen for a whole
/// interval has ended without a word; its next occurrence begins a new one.
public struct Fault: Sendable, Equatable {
    /// What a line says of an occurrence.
    public enum Report: Sendable, Equatable {
        /// The fault begins.
        case began
        /// It lasts: so many occurrences since it began, this one included, and since when.
        case lasts(occurrences: Int, since: Duration)
    }

    /// What a line says of the end.
    public struct End: Sendable, Equatable {
        /// All occurrences.
        public var occurrences: Int
        /// From the first occurrence to the end.
        public var lasted: Duration

        /// A fault that is over.
        public init(occurrences: Int, lasted: Duration) {
            self.occurrences = occurrences
            self.lasted = lasted
        }
    }

    private let interval: Duration
    private var occurrences = 0
    private var beganAt: ContinuousClock.Instant?
    private var toldAt: ContinuousClock.Instant?
    private(set) var seenAt: ContinuousClock.Instant?

    /// - Parameter interval: the time between two lines of a fault that lasts.
    public init(interval: Duration) { self.interval = interval }

    /// It happened, once more or for the first time. `nil` where no line is due.
    public mutating func occurred(now: ContinuousClock.Instant) -> Report? {
        if let seenAt, now - seenAt > interval { self = Fault(interval: interval) }
        seenAt = now
        occurrences += 1
        guard let beganAt, let toldAt else {
            beganAt = now
            toldAt = now
            return .began
        }
        guard now - toldAt >= interval else { return nil }
        self.toldAt = now
        return .lasts(occurrences: occurrences, since: now - beganAt)
    }

    /// It is over. `nil` where there was none.
    public mutating func ended(now: ContinuousClock.Instant) -> End? {
        guard let beganAt else { return nil }
        defer { self = Fault(interval: interval) }
        return End(occurrences: occurrences, lasted: now - beganAt)
    }
}
