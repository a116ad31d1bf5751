import Logging
import Synchronization

/// Keeps all that is logged, as text.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    /// How many say this.
    func count(_ text: String) -> Int { all.count { $0.contains(text) } }

    /// Returns when so many say one of these.
    func reached(_ wanted: Int, _ texts: String...) async throws {
        while texts.reduce(0, { $0 + count($1) }) < wanted { try await Task.sleep(for: .milliseconds(5)) }
    }

    var logger: Logger {
        var logger = Logger(label: "worker") { [self] _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = "\(event.level) \(event.message) \(metadata.merging(event.metadata ?? [:]) { $1 })"
            lines.lines.withLock { $0.append(line) }
        }
    }
}
