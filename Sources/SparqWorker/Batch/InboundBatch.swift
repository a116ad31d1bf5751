import SparqAMQP
import SparqWire
import Synchronization

/// One AMQP message in hand. All stages that hold a part of it share it.
final class InboundBatch: Sendable {
    /// Which attempt its messages are, counted from 1.
    let attempt: Int
    /// Whether those who sent its messages wait for answers, and send them again where they are told `unavailable`.
    let isAwaited: Bool
    /// Whether it came before, to anybody: something of it may have taken effect.
    let isRedelivered: Bool
    private let pending = Mutex(PendingBatch(open: 1))
    private let hasGone: @Sendable () -> Bool
    private let onFinished: @Sendable (_ ack: Bool) -> Void

    /// A batch with one part open: that of its reader.
    ///
    /// - Parameters:
    ///   - isLost: Whether it can no longer be acked.
    ///   - onFinished: Called once, when nothing is open any more.
    init(
        attempt: Int = 1,
        isAwaited: Bool = true,
        isRedelivered: Bool = false,
        isLost: @escaping @Sendable () -> Bool = { false },
        onFinished: @escaping @Sendable (_ ack: Bool) -> Void
    ) {
        self.attempt = attempt
        self.isAwaited = isAwaited
        self.isRedelivered = isRedelivered
        hasGone = isLost
        self.onFinished = onFinished
    }

    /// A delivery that counts as in hand already. It is acked, or given back to others, when nothing of it is open any more.
    convenience init(_ delivery: SparqAMQP.Delivery, of consumer: Consumer, _ inHand: InHand) {
        let tag = delivery.tag
        if Sabotage.isOn(.ackBeforeCommit) { consumer.ack(tag) }
        let attempt = delivery.message.headers[BrokerHeaders.attempt]?.intValue ?? 1
        self.init(
            attempt: attempt,
            isAwaited: attempt == 1 && delivery.message.headers[BrokerHeaders.unawaited] == nil,
            isRedelivered: delivery.redelivered,
            isLost: { !consumer.isCurrent(tag) }
        ) { ack in
            if ack, !Sabotage.isOn(.ackBeforeCommit) { consumer.ack(tag) } else { consumer.nack(tag, requeue: true) }
            inHand.finish()
        }
    }

    /// The connection that it came by is gone, and the broker delivers it again: what is not committed yet is dropped, so that it does not take
    /// effect beside its copy.
    var isLost: Bool { hasGone() }

    /// Whether some part of it cannot be finished here.
    var isAbandoned: Bool { pending.withLock { $0.isAbandoned } }

    func begin() { pending.withLock { $0.begin() } }

    func finish() {
        let (isOver, ack) = pending.withLock { pending in
            let ack = pending.finish()
            return (pending.open == 0, ack)
        }
        if isOver { onFinished(ack) }
    }

    /// Ends a part that cannot be finished here.
    func abandon() {
        pending.withLock { $0.abandon() }
        finish()
    }
}
