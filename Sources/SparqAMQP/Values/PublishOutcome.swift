/// What became of a published message.
public enum PublishOutcome: Sendable, Hashable {
    /// The broker has taken responsibility for it (publisher confirm).
    case confirmed
    /// It was `mandatory`, and no queue is bound for it (AMQP `basic.return`; 312 is NO_ROUTE). It is in no queue.
    case returned(replyCode: UInt16, text: String)
}
