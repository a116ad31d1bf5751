import SparqAMQP
import FaultLog
import Logging

/// Publishes until the broker has confirmed, whatever it takes.
struct ConfirmedPublisher: Sendable {
    enum Outcome: Sendable {
        case confirmed
        /// It reached no queue.
        case unroutable
        /// The broker will never take it: it is too large.
        case refused
        /// The publisher has ended, or the task was cancelled.
        case ended
    }

    private let publisher: Publisher
    private let logger: Logger
    /// One fault for each exchange, and for each queue.
    private let faults: FaultLog
    private let missing: FaultLog
    /// One for each exchange. They have no end: each is about other messages.
    private let refusals: FaultLog

    init(publisher: Publisher, logger: Logger) {
        self.publisher = publisher
        self.logger = logger
        faults = FaultLog(logger)
        missing = FaultLog(logger)
        refusals = FaultLog(logger)
    }

    /// Where the tasks that publish are best run.
    var executor: any TaskExecutor { publisher.executor }

    func publish(_ message: AMQPMessage, exchange: String, routingKey: String, mandatory: Bool) async -> Outcome {
        var failures = 0
        while true {
            do throws(AMQPError) {
                let outcome = try await publisher.publish(message, exchange: exchange, routingKey: routingKey, mandatory: mandatory)
                if failures > 0 { faults.ended(exchange, "publishing works again", metadata: ["exchange": "\(exchange)"]) }
                switch outcome {
                case .confirmed: return .confirmed
                case .returned: return .unroutable
                }
            } catch {
                switch error.code {
                case .closed, .cancelled: return .ended
                case .channelClosed where error.refusesMessage:
                    refusals.occurred(
                        exchange,
                        level: .error,
                        "the broker refuses a message",
                        metadata: [
                            "error": "\(error)", "exchange": "\(exchange)", "key": "\(routingKey)", "bytes": "\(message.body.count)",
                        ]
                    )
                    return .refused
                case .invalidArgument:
                    // Such as a node's name that is too long for a routing key: there can be no such queue.
                    logger.error("message cannot be published", metadata: ["error": "\(error)", "key": "\(routingKey)"])
                    return .unroutable
                default:
                    failures += 1
                    faults.occurred(
                        exchange,
                        "publishing failed, trying again",
                        metadata: ["error": "\(error)", "exchange": "\(exchange)"]
                    )
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
            guard outcome == .unroutable else {
                if failures > 0, outcome == .confirmed { missing.ended(queue, "queue is there again", metadata: ["queue": "\(queue)"]) }
                return outcome
            }
            failures += 1
            missing.occurred(queue, level: .error, "queue is missing, trying again", metadata: ["queue": "\(queue)"])
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
