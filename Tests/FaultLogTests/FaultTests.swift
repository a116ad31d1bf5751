import FaultLog
import Logging
import Synchronization
import Testing

@Suite struct FaultTests {
    private let start = ContinuousClock.now

    @Test func oneLineAtTheBeginningOneInEachIntervalOneAtTheEnd() {
        var fault = Fault(interval: .seconds(60))
        #expect(fault.occurred(now: start) == .began)
        for second in 1..<60 { #expect(fault.occurred(now: start + .seconds(second)) == nil) }
        #expect(fault.occurred(now: start + .seconds(60)) == .lasts(occurrences: 61, since: .seconds(60)))
        #expect(fault.occurred(now: start + .seconds(61)) == nil)
        #expect(fault.ended(now: start + .seconds(90)) == Fault.End(occurrences: 62, lasted: .seconds(90)))
        #expect(fault.ended(now: start + .seconds(91)) == nil)
        #expect(fault.occurred(now: start + .seconds(92)) == .began)
    }

    @Test func oneThatWasNotSeenForAnIntervalBeginsAnew() {
        var fault = Fault(interval: .seconds(60))
        #expect(fault.occurred(now: start) == .began)
        #expect(fault.occurred(now: start + .seconds(61)) == .began)
    }

    @Test func keysAreApartAndBounded() {
        let lines = Mutex<[String]>([])
        let time = Mutex(start)
        let log = FaultLog(
            Logger(label: "test") { _ in Lines { line in lines.withLock { $0.append(line) } } },
            limit: 2,
            now: { time.withLock { $0 } }
        )
        for key in ["a", "b", "a", "c", "b", "a"] {
            time.withLock { $0 += .seconds(1) }
            log.occurred(key, "gone", metadata: ["node": "\(key)"])
        }
        // "c" drove out "b", which was seen before "a"; "b" then "a", and "a" in the end "c".
        #expect(lines.withLock { $0 } == ["gone a", "gone b", "gone c", "gone b", "gone a"])
        log.ended("a", "back", metadata: ["node": "a"])
        log.ended("a", "back", metadata: ["node": "a"])
        #expect(lines.withLock { $0.last } == "back a")
        #expect(lines.withLock { $0.count } == 6)
    }
}

/// Writes each line down as its message and the node in its metadata.
private struct Lines: LogHandler {
    let write: @Sendable (String) -> Void
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { write("\(event.message) \(event.metadata?["node"] ?? "-")") }
}
