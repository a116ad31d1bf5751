import SparqAMQP
import FaultLog
import Logging
import SparqFrontCore
import SparqWire

/// Publishes batches to the inbound exchange: persistent, confirmed, mandatory.
struct InboundPublisher: BatchPublisher {
    let publisher: Publisher
    let exchange: String
    private let logger: Logger
    /// One fault for each pool.
    private let untaken: FaultLog
    /// One for each pool. They have no end: each is about another batch.
    private let refusals: FaultLog

    init(publisher: Publisher, exchange: String, logger: Logger) {
        self.publisher = publisher
        self.exchange = exchange
        self.logger = logger
        untaken = FaultLog(logger)
        refusals = FaultLog(logger)
    }

    var executor: (any TaskExecutor)? { publisher.executor }

    func publish(_ body: [UInt8], pool: String) async -> BatchOutcome {
        do throws(AMQPError) {
            let outcome = try await publisher.publish(
                AMQPMessage(body: body, contentType: NDJSON.contentType),
                exchange: exchange,
                routingKey: pool,
                mandatory: true
            )
            switch outcome {
            case .confirmed:
                untaken.ended(pool, "The broker takes batches again", metadata: ["pool": "\(pool)"])
                return .taken
            case .returned:
                logger.debug("No queue serves this pool yet", metadata: ["pool": "\(pool)"])
                return .returned
            }
        } catch  where error.refusesMessage {
            refusals.occurred(
                pool,
                level: .error,
                "The broker refuses a batch: it goes in parts",
                metadata: ["pool": "\(pool)", "bytes": "\(body.count)", "error": "\(error)"]
            )
            return .refused
        } catch {
            untaken.occurred(pool, "The broker did not take a batch", metadata: ["pool": "\(pool)", "error": "\(error)"])
            return .failed
        }
    }
}
