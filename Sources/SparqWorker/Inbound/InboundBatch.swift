import Synchronization

/// One AMQP message in hand. All stages that hold a part of it share it.
final class InboundBatch: Sendable {
    /// Which attempt its messages are, counted from 1.
    let attempt: Int
    private let pending = Mutex(PendingBatch(open: 1))
    private let onFinished: @Sendable (_ ack: Bool) -> Void

    /// A batch with one part open: that of its reader.
    ///
    /// - Parameter onFinished: Called once, when nothing is open any more.
    init(attempt: Int = 1, onFinished: @escaping @Sendable (_ ack: Bool) -> Void) {
        self.attempt = attempt
        self.onFinished = onFinished
    }

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
