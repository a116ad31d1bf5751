public import Sparq

/// What a handler answered to a message.
public enum Outcome: Sendable {
    /// It agreed, and these effects would take place.
    case effects([Effect])
    /// It refused, or the message did not come to it: unknown type, fields that do not decode, nobody logged in.
    case refused(Refusal)

    /// The effects; empty after a refusal.
    public var effects: [Effect] { if case .effects(let effects) = self { effects } else { [] } }

    /// The refusal, if it is one.
    public var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }

    /// The JSON text of the reply's `data`, as a client gets it; `nil` without one.
    public var reply: String? {
        get throws {
            var reply: String?
            for case .reply(let data) in effects { reply = String(decoding: try DataEncoder.encode(data), as: UTF8.self) }
            return reply
        }
    }

    /// The durable events, in order, with the JSON text of their `data` as clients get it.
    public var appended: [AppendedEvent] {
        get throws {
            try effects.compactMap { effect in
                guard case .append(let topic, let event) = effect else { return nil }
                return try AppendedEvent(topic: topic, event: event)
            }
        }
    }

    /// The ephemeral events to topics, in order.
    public var published: [AppendedEvent] {
        get throws {
            try effects.compactMap { effect in
                guard case .publish(let topic, let event) = effect else { return nil }
                return try AppendedEvent(topic: topic, event: event)
            }
        }
    }
}
