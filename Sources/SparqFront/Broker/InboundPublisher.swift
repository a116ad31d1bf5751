import AMQP
import Logging
import SparqProtocol

/// Publishes batches to the inbound exchange: persistent, confirmed, mandatory.
struct InboundPublisher: BatchPublisher {
    let publisher: Publisher
    let exchange: String
    let logger: Logger

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
            case .confirmed: return .taken
            case .returned:
                logger.debug("No queue serves this pool yet", metadata: ["pool": "\(pool)"])
                return .returned
            }
        } catch {
            logger.warning("The broker did not take a batch", metadata: ["pool": "\(pool)", "error": "\(error)"])
            return .failed
        }
    }
}
