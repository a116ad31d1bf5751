import Logging
import SparqPostgres
import SparqWire

extension FailedMessages {
    /// What a message comes to whose handler threw, or a policy that was asked for its repeat: what fails in passing is tried again later, the
    /// rest lies among the dead letters.
    ///
    /// Throws where the message is to be left to the broker: on cancellation, on shutdown, and where the broker can't be told any more.
    func message(_ envelope: Envelope, attempt: Int, after error: any Error) async throws -> SettledMessage {
        switch error {
        case let failure as TransientFailure: return try await later(envelope, attempt, failure)
        case let wait as NotItsTurn: return try await later(envelope, attempt, wait, .untilItsTurn)
        // Where a table or a privilege is missing, an operator mends it: no message is lost to that, however long it takes.
        case _ where Self.missing(in: error) != nil && !Task.isCancelled:
            return try await later(envelope, attempt, TransientFailure("\(error)"), .untilMended)
        case let error as PostgresError where (error.mayPass || error.isMissing) && !Task.isCancelled:
            return try await later(envelope, attempt, TransientFailure("\(error)"))
        case _ where Task.isCancelled || (error as? PostgresError)?.code == .poolClosed: throw error
        default:
            logger.error("handler or policy failed", metadata: metadata(envelope, error))
            return try await never(envelope, attempt: attempt, .handler, error)
        }
    }

    /// What only an operator can mend.
    static func missing(in error: any Error) -> PostgresError? {
        if let refused = error as? OwnStatementRefused { return refused.error }
        guard let error = error as? PostgresError, error.awaitsOperator else { return nil }
        return error
    }

    /// What a message comes to that alone cannot be committed.
    func message(_ envelope: Envelope, attempt: Int, uncommitted error: PostgresError) async throws -> SettledMessage {
        // Its data may be what the server fails over, or the server fails for everybody.
        if error.mayPass { return try await later(envelope, attempt, TransientFailure("\(error)")) }
        logger.error("message cannot be committed", metadata: metadata(envelope, error))
        return try await never(envelope, attempt: attempt, .commit, error)
    }

    /// To the dead letters, with an error reply.
    func never(_ envelope: Envelope, attempt: Int, _ step: Step, _ error: any Error) async throws -> SettledMessage {
        guard await bury(envelope, attempts: attempt, step, error) == .dead else { throw CancellationError() }
        return .refused(envelope, .internalFailure)
    }

    private func later(_ envelope: Envelope, _ attempt: Int, _ failure: any Error, _ patience: Patience = .counted) async throws
        -> SettledMessage
    {
        switch await postpone(envelope, attempt: attempt, failure, patience) {
        case .waits:
            logger.debug("message is tried again later", metadata: metadata(envelope, failure))
            return .postponed(envelope)
        case .dead:
            logger.error("message failed for good", metadata: metadata(envelope, failure))
            return .refused(envelope, .internalFailure)
        case .unknown: throw CancellationError()
        }
    }
}

extension Refusal {
    static let internalFailure = Refusal(.internal, "The message failed for a reason that lies with the server.")
}
