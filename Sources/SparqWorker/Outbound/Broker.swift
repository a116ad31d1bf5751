import AMQP
import Logging

/// Publishes until the broker has confirmed, whatever it takes.
struct Broker: Sendable {
    enum Outcome: Sendable {
        case confirmed
        /// It reached no queue.
        case unroutable
        /// The publisher has ended, or the task was cancelled.
        case ended
    }

    let publisher: Publisher
    let logger: Logger

    func publish(_ message: AMQPMessage, exchange: String, routingKey: String, mandatory: Bool) async -> Outcome {
        var failures = 0
        while true {
            do throws(AMQPError) {
                switch try await publisher.publish(message, exchange: exchange, routingKey: routingKey, mandatory: mandatory) {
                case .confirmed: return .confirmed
                case .returned: return .unroutable
                }
            } catch {
                switch error.code {
                case .closed, .cancelled: return .ended
                case .invalidArgument:
                    // Such as a node's name that is too long for a routing key: there can be no such queue.
                    logger.error("message cannot be published", metadata: ["error": "\(error)", "key": "\(routingKey)"])
                    return .unroutable
                default:
                    failures += 1
                    logger.warning("publishing failed, trying again", metadata: ["error": "\(error)", "exchange": "\(exchange)"])
                    guard (try? await Task.sleep(for: Pause.after(failures: failures))) != nil else { return .ended }
                }
            }
        }
    }

    /// To a queue by its name; goes on where the queue is missing, until it is declared again.
    func publish(_ message: AMQPMessage, queue: String) async -> Outcome {
        var failures = 0
        while true {
            let outcome = await publish(message, exchange: "", routingKey: queue, mandatory: true)
            guard outcome == .unroutable else { return outcome }
            failures += 1
            logger.error("queue is missing, trying again", metadata: ["queue": "\(queue)"])
            guard (try? await Task.sleep(for: Pause.after(failures: failures))) != nil else { return .ended }
        }
    }
}

/// Pauses that grow: 50 ms, doubling up to 2 s, half of it random, so that many do not come back in step.
enum Pause {
    static func after(failures: Int) -> Duration {
        let full = min(2000, 50 << min(failures - 1, 8))
        return .milliseconds(full / 2 + Int.random(in: 0...(full / 2)))
    }
}
