import SparqAMQP
import SparqWire

/// One AMQP message in hand. All stages that hold a part of it share it.
final class InboundBatch: Sendable {
    /// Which attempt its messages are, counted from 1.
    let attempt: Int
    /// Whether those who sent its messages wait for answers, and send them again where they are told `unavailable`.
    let isAwaited: Bool
    /// Whether it came before, to anybody: something of it may have taken effect.
    let isRedelivered: Bool
    private let completion: Completion
    private let hasGone: @Sendable () -> Bool

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
        completion = Completion(onEnd: onFinished)
    }

    /// A delivery that counts as in hand already. It is acked, or given back to others, when nothing of it is open any more.
    convenience init(_ delivery: SparqAMQP.Delivery, of consumer: Consumer, _ inHand: Latch) {
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
    var isAbandoned: Bool { completion.isAbandoned }

    /// One more part.
    func begin() { completion.begin() }

    /// Ends a part.
    func finish() { completion.finish() }

    /// Ends a part that cannot be finished here.
    func abandon() { completion.abandon() }

    /// Of one of its open parts: ends it, and finishes the latch whatever came of it.
    func completion(with latch: Latch?) -> Completion {
        guard let latch else { return completion }
        return Completion { [completion] isWhole in
            completion.end(isFinished: isWhole)
            latch.finish()
        }
    }
}
