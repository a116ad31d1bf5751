import Logging
import NIOConcurrencyHelpers

/// Keeps what is logged, with its metadata.
struct LogLines: LogHandler {
    private let box = NIOLockedValueBox<[String]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace
    var taken: [String] { box.withLockedValue { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = (event.metadata ?? [:]).map { "\($0.key)=\($0.value)" }.sorted()
        box.withLockedValue { $0.append("\(event.message) \(pairs.joined(separator: " "))") }
    }
}
