/// Names one delivery of a ``Consumer``.
///
/// The broker numbers deliveries from 1 on every channel, so a number alone could settle a stranger after a reconnect. The epoch says
/// which channel it belongs to; settling a tag of an earlier epoch does nothing, since the broker has put that message back already.
public struct DeliveryTag: Sendable, Hashable {
    /// Which channel of the consumer, counted from 1.
    public let epoch: UInt64
    /// The broker's number on that channel, from 1.
    public let number: UInt64

    /// A tag, for tests of code that handles deliveries.
    public init(epoch: UInt64, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }
}
