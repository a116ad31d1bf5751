internal import Synchronization

/// A message on its way through a ``Publisher``.
final class Publication: Sendable {
    let message: AMQPMessage
    let exchange: String
    let routingKey: String
    let mandatory: Bool
    /// When the caller stops waiting.
    let deadline: ContinuousClock.Instant?
    /// Its number in the window; 0 until it is there.
    let id = Atomic<UInt64>(0)

    init(_ message: AMQPMessage, exchange: String, routingKey: String, mandatory: Bool, deadline: ContinuousClock.Instant?) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.deadline = deadline
    }
}
