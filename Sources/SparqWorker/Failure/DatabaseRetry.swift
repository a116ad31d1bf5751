import Logging
import SparqPostgres

/// Waits trouble with the database out. The worker holds what it has and takes nothing new beyond its prefetch, so innocent messages
/// do not come near their delivery limit.
struct DatabaseRetry: Sendable {
    let logger: Logger
    let health: DatabaseHealth
    /// How long the server's own defects are waited out.
    private let patience: Duration
    /// Whether it is not worth trying any more.
    private var isOver: @Sendable () -> Bool = { false }

    init(logger: Logger, health: DatabaseHealth, patience: Duration) {
        self.logger = logger
        self.health = health
        self.patience = patience
    }

    /// The same, for what ends with any of these batches: then it throws `CancellationError`.
    func during(_ batches: [InboundBatch]) -> DatabaseRetry {
        var retry = self
        retry.isOver = { batches.contains(where: \.isLost) }
        return retry
    }

    /// Tries until it succeeds, or until trying again is not worth while: see ``DatabaseRemedy``.
    func callAsFunction<Value>(_ asked: AskedOfDatabase = .handlers, _ body: () async throws -> Value) async throws -> Value {
        var failures = 0
        var doubtSince: ContinuousClock.Instant?
        while true {
            if isOver() {
                if failures > 0 { logger.debug("waits no longer for the database: the broker delivers it again") }
                throw CancellationError()
            }
            do {
                let value = try await body()
                health.noteAnswer()
                return value
            } catch {
                guard let (cause, remedy) = Self.remedy(error, asked) else { throw error }
                failures += 1
                if failures == 1 { logger.debug("waits for the database", metadata: ["error": "\(cause)"]) }
                switch remedy {
                // Two transactions in each other's way are no trouble of the database's.
                case .again: break
                case .wait:
                    doubtSince = nil
                    if cause.cause == .crowd { health.noteCrowd(cause) } else { health.noteTrouble(cause, isOwn: asked != .handlers) }
                case .waitAWhile:
                    let since = doubtSince ?? .now
                    doubtSince = since
                    health.noteTrouble(cause, isOwn: asked != .handlers)
                    if .now - since >= patience { throw error }
                }
                let pause = remedy == .again && failures < 10 ? .milliseconds(Int.random(in: 1...20)) : Pause.after(failures: failures)
                try await Task.sleep(for: pause)
            }
        }
    }

    private static func remedy(_ error: any Error, _ asked: AskedOfDatabase) -> (PostgresError, DatabaseRemedy)? {
        switch error {
        case let error as PostgresError: DatabaseRemedy(error.cause, asked).map { (error, $0) }
        case let refused as OwnStatementRefused: (refused.error, .waitAWhile)
        default: nil
        }
    }
}
