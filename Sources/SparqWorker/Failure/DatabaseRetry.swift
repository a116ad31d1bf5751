import Logging
import Postgres

extension PostgresError {
    /// Nothing is wrong with what was asked: the database is away, overloaded, or two transactions were in each other's way.
    var isPassing: Bool {
        // 25006: a server that has not taken over yet accepts no writes.
        isConnectionTrouble || isRetryable || sqlState == "25006"
    }
}

/// Waits trouble with the database out. The worker holds what it has and takes nothing new beyond its prefetch, so innocent messages
/// do not come near their delivery limit.
struct DatabaseRetry: Sendable {
    let logger: Logger
    let health: DatabaseHealth
    /// Whether it is not worth trying any more.
    private var isOver: @Sendable () -> Bool = { false }

    init(logger: Logger, health: DatabaseHealth) {
        self.logger = logger
        self.health = health
    }

    /// The same, for what ends with any of these batches: then it throws `CancellationError`.
    func during(_ batches: [InboundBatch]) -> DatabaseRetry {
        var retry = self
        retry.isOver = { batches.contains(where: \.isLost) }
        return retry
    }

    /// - Parameter timeoutsPass: Whether a statement that took too long is tried again; it had to wait for others' locks, where its own
    ///   work is small.
    func callAsFunction<Value>(timeoutsPass: Bool = false, _ body: () async throws -> Value) async throws -> Value {
        var failures = 0
        while true {
            if isOver() {
                if failures > 0 { logger.debug("waits no longer for the database: the broker delivers it again") }
                throw CancellationError()
            }
            do {
                let value = try await body()
                if failures > 0 { logger.info("the database answers again", metadata: ["failures": "\(failures)"]) }
                return value
            } catch let error as PostgresError where error.isPassing || (timeoutsPass && error.isStatementTimeout) {
                failures += 1
                // Two transactions in each other's way are no trouble of the database's.
                if error.isConnectionTrouble { health.noteTrouble() }
                if failures == 1 || failures % 20 == 0 {
                    logger.warning("trouble with the database, waiting", metadata: ["error": "\(error)", "failures": "\(failures)"])
                }
                try await Task.sleep(
                    for: error.isRetryable && failures < 10 ? .milliseconds(Int.random(in: 1...20)) : Pause.after(failures: failures)
                )
            }
        }
    }
}
