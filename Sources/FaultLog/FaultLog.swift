public import Logging
import Synchronization

/// Logs faults that last without flooding: one line when a fault begins, one a minute while it lasts, one when it ends.
///
/// Each fault has a key, such as a node's id. So many keys are remembered at most; beyond that the fault that was seen longest ago is forgotten.
/// Thread-safe; hold one for each kind of fault.
public final class FaultLog: Sendable {
    /// The key of a kind that has one fault at a time.
    public static let single = ""

    private let logger: Logger
    private let interval: Duration
    private let limit: Int
    private let now: @Sendable () -> ContinuousClock.Instant
    private let faults = Mutex<[String: Fault]>([:])

    /// - Parameters:
    ///   - interval: the time between two lines of a fault that lasts.
    ///   - limit: keys that are remembered.
    ///   - now: the clock.
    public init(
        _ logger: Logger,
        interval: Duration = .seconds(60),
        limit: Int = 256,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.logger = logger
        self.interval = interval
        self.limit = limit
        self.now = now
    }

    /// The fault occurred: logs where a line is due.
    ///
    /// - Parameters:
    ///   - message: the same text each time; what differs is metadata.
    ///   - metadata: the cause. A line of a fault that lasts adds `occurrences` and `seconds`.
    public func occurred(
        _ key: String = single,
        level: Logger.Level = .warning,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        let now = now()
        let report = faults.withLock { faults in
            if faults[key] == nil, faults.count >= limit, let oldest = faults.min(by: Self.seenEarlier)?.key { faults[oldest] = nil }
            return faults[key, default: Fault(interval: interval)].occurred(now: now)
        }
        switch report {
        case nil: return
        case .began: logger.log(level: level, message(), metadata: metadata())
        case .lasts(let occurrences, let since):
            var metadata = metadata()
            metadata["occurrences"] = "\(occurrences)"
            metadata["seconds"] = "\(since.components.seconds)"
            logger.log(level: level, message(), metadata: metadata)
        }
    }

    /// The fault is over: logs where there was one. Cheap where there was none.
    ///
    /// The line has `occurrences` and `seconds`, of the whole fault.
    public func ended(
        _ key: String = single,
        level: Logger.Level = .info,
        _ message: @autoclosure () -> Logger.Message,
        metadata: @autoclosure () -> Logger.Metadata = [:]
    ) {
        let now = now()
        let end = faults.withLock { faults -> Fault.End? in
            guard var fault = faults.removeValue(forKey: key) else { return nil }
            return fault.ended(now: now)
        }
        guard let end else { return }
        var metadata = metadata()
        metadata["occurrences"] = "\(end.occurrences)"
        metadata["seconds"] = "\(end.lasted.components.seconds)"
        logger.log(level: level, message(), metadata: metadata)
    }

    private static func seenEarlier(_ one: (key: String, value: Fault), _ other: (key: String, value: Fault)) -> Bool {
        guard let first = one.value.seenAt, let second = other.value.seenAt else { return one.value.seenAt == nil }
        return first < second
    }
}
