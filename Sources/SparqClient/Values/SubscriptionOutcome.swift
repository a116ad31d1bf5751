public import SparqWire

/// What became of one topic of a subscription.
public enum SubscriptionOutcome: Equatable, Sendable {
    /// Subscribed. `seq` is the topic's last one at that moment.
    case subscribed(seq: Int)
    /// Refused; the other topics of the request are not concerned.
    case refused(ErrorCode)
}

extension SubscriptionOutcome {
    /// What became of each topic, from the reply to `subscribe`.
    static func byTopic(_ reply: ReplyBody) -> [String: SubscriptionOutcome] {
        guard case .success(let data?) = reply.outcome, let answers = try? SubscribeReply(decoding: data) else { return [:] }
        return Dictionary(
            answers.entries.map { entry in
                switch entry.answer {
                case .subscribed(let seq): (entry.topic, .subscribed(seq: seq))
                case .refused(let error): (entry.topic, .refused(error.code))
                }
            }
        ) { $1 }
    }
}
