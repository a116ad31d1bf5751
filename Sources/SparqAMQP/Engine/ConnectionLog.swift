internal import FaultLog
internal import Logging

/// What an operator reads of a connection. One that breaks again and again has one lasting fault, and so has a broker that does not answer.
///
/// Belongs to the connection's thread.
struct ConnectionLog {
    /// A connection that lived this long has ended the fault before it.
    static let steadyAfter = Duration.seconds(10)

    private enum Key {
        static let connection = "connection"
        static let blocked = "blocked"
    }

    private let logger: Logger
    private let faults: FaultLog
    /// When the fault is over, where the connection that stands still stands then; nil where there is none to end.
    private var endsAt: ContinuousClock.Instant?
    /// The kinds of causes that were told since the fault began; empty where there is none.
    private var causes: Set<AMQPError.Code> = []
    private var host: AMQPHost?

    init(_ logger: Logger, faults: FaultLog) {
        self.logger = logger
        self.faults = faults
    }

    mutating func connecting(to host: AMQPHost?, attempt: Int) {
        self.host = host
        logger.debug("connecting to the broker", metadata: metadata(["attempt": "\(attempt)"]))
    }

    mutating func connected(now: ContinuousClock.Instant) {
        if causes.isEmpty { logger.info("connected to the broker", metadata: metadata()) } else { endsAt = now + Self.steadyAfter }
    }

    /// Call it every now and then, at no cost.
    mutating func tick(now: ContinuousClock.Instant) {
        guard let endsAt, now >= endsAt else { return }
        faults.ended(Key.connection, "connected to the broker again", metadata: metadata())
        causes = []
        self.endsAt = nil
    }

    mutating func failed(_ error: AMQPError) {
        endsAt = nil
        // A lost connection that then cannot be made again has two causes.
        if causes.insert(error.code).inserted, causes.count > 1 {
            logger.warning("no connection to the broker, for another cause", metadata: metadata(["error": "\(error)"]))
        }
        faults.occurred(Key.connection, "no connection to the broker", metadata: metadata(["error": "\(error)"]))
    }

    func blocked(reason: String) {
        faults.occurred(Key.blocked, "the broker blocks publishing", metadata: metadata(["reason": "\(reason)"]))
    }

    func unblocked() {
        faults.ended(Key.blocked, "the broker takes messages again", metadata: metadata())
    }

    private func metadata(_ more: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = more
        if let host { metadata["host"] = "\(host)" }
        return metadata
    }
}
