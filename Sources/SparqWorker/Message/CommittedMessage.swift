import SparqWire

/// A message as it is delivered: what it wanted of the database stands, or it wanted nothing.
///
/// A class, because it has many parts and passes through many hands.
final class CommittedMessage: Sendable {
    let rest: MessageRest
    /// Durable events, with their numbers.
    let events: [Event]

    init(_ rest: MessageRest, events: [Event] = []) {
        self.rest = rest
        self.events = events
    }

    /// One that brings nothing.
    convenience init(_ envelope: Envelope) { self.init(MessageRest(envelope)) }

    /// One that is refused, or failed: an error reply and nothing else.
    convenience init(_ envelope: Envelope, refusal: Refusal) { self.init(MessageRest(envelope, refusal: refusal)) }

    var envelope: Envelope { rest.envelope }
    /// Whether the directory says who hears of it.
    var needsDirectory: Bool { !events.isEmpty || rest.needsDirectory }
}

/// A message that took effect before, with topics that policies must allow once more: time has passed since its handler did.
struct RepeatedMessage: Sendable {
    /// All of it, those topics too.
    var message: CommittedMessage
    var doubtful: Set<String>

    /// With those of the topics that are allowed.
    func allowed(refusing refused: Set<Int>) -> CommittedMessage {
        var rest = message.rest
        rest.subscriptions = rest.subscriptions.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
        return CommittedMessage(rest, events: message.events)
    }
}
