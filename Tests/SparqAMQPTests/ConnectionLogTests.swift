import FaultLog
import Logging
import Synchronization
import Testing

@testable import SparqAMQP

@Suite struct ConnectionLogTests {
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            let metadata = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            lines.add(([event.message.description] + metadata).joined(separator: " "))
        }
    }

    private final class Clock: Sendable {
        private let instant = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { instant.withLock { $0 } }
        func advance(_ duration: Duration) { instant.withLock { $0 += duration } }
    }

    private func make() -> (ConnectionLog, Lines, Clock) {
        let (lines, clock) = (Lines(), Clock())
        let logger = Logger(label: "test") { _ in Handler(lines: lines) }
        return (ConnectionLog(logger, faults: FaultLog(logger) { clock.now }), lines, clock)
    }

    @Test func attemptsThatFailForTenMinutesAreALineAMinute() {
        var (log, lines, clock) = make()
        let refused = AMQPError(.connectFailed, "10.0.0.1:5672: Connection refused (errno 111)", operation: "connecting")
        for attempt in 1...600 {
            log.connecting(to: AMQPHost("b"), attempt: attempt)
            log.failed(refused)
            clock.advance(.seconds(1))
        }
        #expect(lines.all.count == 10)
        #expect(
            lines.all.first
                == "no connection to the broker error=connectFailed in connecting: 10.0.0.1:5672: Connection refused (errno 111) host=b:5672"
        )
        log.connected(now: clock.now)
        clock.advance(ConnectionLog.steadyAfter)
        log.tick(now: clock.now)
        #expect(lines.all.last == "connected to the broker again host=b:5672 occurrences=600 seconds=610")
    }

    @Test func anotherCauseIsToldOnce() {
        var (log, lines, clock) = make()
        for _ in 0..<5 {
            log.failed(AMQPError(.heartbeatTimeout, "nothing heard for 10001 ms", operation: "connection"))
            for _ in 0..<3 {
                clock.advance(.seconds(1))
                log.failed(AMQPError(.outOfResources, "10.0.0.1:5672: Too many open files (errno 24)", operation: "connecting"))
            }
        }
        #expect(
            lines.all == [
                "no connection to the broker error=heartbeatTimeout in connection: nothing heard for 10001 ms",
                "no connection to the broker, for another cause error=outOfResources in connecting: 10.0.0.1:5672: Too many open files (errno 24)",
            ]
        )
    }

    @Test func aConnectionThatBreaksAgainAndAgainIsOneFault() {
        var (log, lines, clock) = make()
        let lost = AMQPError(.connectionLost, "a socket error occurred: Connection reset by peer (errno 104)", operation: "receiving")
        log.connecting(to: AMQPHost("b"), attempt: 1)
        log.connected(now: clock.now)
        for _ in 0..<60 {
            clock.advance(.seconds(2))
            log.tick(now: clock.now)
            log.failed(lost)
            log.connected(now: clock.now)
        }
        #expect(
            lines.all.map { $0.prefix { $0 != "=" } } == [
                "connected to the broker host", "no connection to the broker error", "no connection to the broker error",
            ]
        )
        clock.advance(ConnectionLog.steadyAfter)
        log.tick(now: clock.now)
        log.tick(now: clock.now)
        #expect(lines.all.count == 4 && lines.all[3].hasPrefix("connected to the broker again"))
    }
}
