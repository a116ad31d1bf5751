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
    /// One fault for each lane.
    private let untaken: FaultLog
    /// One for each lane. They have no end: each is about another batch.
    private let refusals: FaultLog

    init(publisher: Publisher, exchange: String, logger: Logger) {
        self.publisher = publisher
        self.exchange = exchange
        self.logger = logger
        untaken = FaultLog(logger)
        refusals = FaultLog(logger)
    }

    var executor: (any TaskExecutor)? { publisher.executor }

    func publish(_ body: [UInt8], lane: String) async -> BatchOutcome {
        do throws(AMQPError) {
            let outcome = try await publisher.publish(
                AMQPMessage(body: body, contentType: NDJSON.contentType),
                exchange: exchange,
                routingKey: lane,
                mandatory: true
            )
            switch outcome {
            case .confirmed:
                untaken.ended(lane, "The broker takes batches again", metadata: ["lane": "\(lane)"])
                return .taken
            case .returned:
                logger.debug("No queue serves this lane yet", metadata: ["lane": "\(lane)"])
                return .returned
            }
        } catch  where error.refusesMessage {
            refusals.occurred(
                lane,
                level: .error,
                "The broker refuses a batch: it goes in parts",
                metadata: ["lane": "\(lane)", "bytes": "\(body.count)", "error": "\(error)"]
            )
            return .refused
        } catch {
            untaken.occurred(lane, "The broker did not take a batch", metadata: ["lane": "\(lane)", "error": "\(error)"])
            return .failed
        }
    }
}
