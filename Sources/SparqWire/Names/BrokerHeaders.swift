/// Names of the headers of AMQP messages. Those that begin with `x-` are RabbitMQ's own.
package enum BrokerHeaders {
    /// Which attempt a message is, counted from 1. Without it the message is a first attempt.
    @inlinable package static var attempt: String { "sparq-attempt" }
    /// Nobody waits for an answer to the message, whatever the header's value. It is tried again, or was a dead letter. So it may wait, and must
    /// not be refused for a lack of room.
    @inlinable package static var unawaited: String { "sparq-unawaited" }
    /// How often workers had died over the message that this one was a part of. Only a version before wrote it.
    @inlinable package static var deaths: String { "sparq-deaths" }
    /// How often a quorum queue has delivered the message before.
    @inlinable package static var deliveryCount: String { "x-delivery-count" }
    /// What the broker noted when it last moved the message (RabbitMQ, "Dead Letter Exchanges").
    @inlinable package static var moves: String { "x-death" }

    /// Headers of dead letters.
    package enum Dead {
        /// What failed, a colon, and the error.
        @inlinable package static var reason: String { "reason" }
        /// The message's type.
        @inlinable package static var type: String { "type" }
        /// Who sent it.
        @inlinable package static var user: String { "user" }
        /// The connection it came from.
        @inlinable package static var connection: String { "connection" }
        /// The node that forwarded it.
        @inlinable package static var node: String { "node" }
        /// When the front received it: milliseconds since the Unix epoch.
        @inlinable package static var time: String { "time" }
        /// How often a handler tried.
        @inlinable package static var attempts: String { "attempts" }
        /// The lane it came from. The word is an older one's, so that older versions understand it.
        @inlinable package static var lane: String { "pool" }
        /// Its type is a secret one, so its fields were not kept.
        @inlinable package static var redacted: String { "redacted" }
    }
}
