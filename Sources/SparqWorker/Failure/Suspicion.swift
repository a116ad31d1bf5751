import SparqAMQP
import SparqWire

/// Whether workers may have died over an AMQP message. A handler that traps takes its whole process along, and all that this had in hand comes again
/// together with the message that did it; so does what a worker had in hand that was killed for another reason, or that lost the broker.
///
/// Most that come again are innocent. So what is suspected goes to a queue of its own, and there it is found out: see ``Lives``.
enum Suspicion {
    /// A lost connection, or one death, happens to all.
    private static let deliveries = 2

    /// - Parameter message: from a quorum queue, which counts.
    static func isRaised(by message: AMQPMessage) -> Bool {
        [BrokerHeaders.deliveryCount, BrokerHeaders.deaths].contains { (message.headers[$0]?.intValue ?? 0) >= deliveries }
    }
}

/// Why a message is given up.
struct TooManyDeaths: Error, CustomStringConvertible {
    var description: String { "workers died over it too often, and only over it" }
}
