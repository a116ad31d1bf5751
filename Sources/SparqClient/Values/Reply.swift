public import SparqWire

/// The server's answer to a message that took effect.
public struct Reply: Equatable, Sendable {
    /// The whole reply as JSON text, as it came.
    public let bytes: [UInt8]
    /// The message had taken effect before: this is the first reply again.
    public let isRepeat: Bool

    /// Decodes the reply's `data`.
    /// - Throws: ``ClientError/Code/decoding``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ClientError) -> Value {
        guard case .success(let data)? = (try? ReplyBody(decoding: bytes[...]))?.outcome else {
            throw ClientError(.decoding, "The reply has no \"data\".")
        }
        return try ApplicationJSON.decode(type, from: data)
    }
}

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
