public import SparqWire

/// What became of one topic of a subscription.
public enum SubscriptionOutcome: Equatable, Sendable {
    /// Subscribed. `seq` is the topic's last one at that moment.
    case subscribed(seq: Int)
    /// Refused; the other topics of the request are not concerned.
    case refused(ErrorCode)
}
