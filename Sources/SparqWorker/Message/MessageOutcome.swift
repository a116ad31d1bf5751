import SparqWire

/// A message behind its handler: what is left to be done with it.
///
/// A message's life: `Envelope`, received → ``HandledMessage``, to be committed → ``CommittedMessage``, to be delivered.
enum MessageOutcome: Sendable {
    /// What it wants is to be committed first.
    case handled(HandledMessage)
    /// It took effect before, and policies must allow some of its topics once more.
    case repeated(RepeatedMessage)
    /// It is to be delivered.
    case settled(SettledMessage)

    static func committed(_ message: CommittedMessage) -> MessageOutcome { .settled(.committed(message)) }

    /// What its handler wants.
    ///
    /// - Throws: What an effect's encoding throws; a ``Refusal`` where they are more than a message may bring.
    init(of envelope: Envelope, effects: [Effect]) throws {
        let message = try HandledMessage(envelope, effects: effects)
        self = message.needsCommit ? .handled(message) : .committed(CommittedMessage(message.rest))
    }

    /// It is refused now, and may have taken effect before under this key.
    static func refused(_ envelope: Envelope, _ refusal: Refusal, known key: MessageKey) -> MessageOutcome {
        .handled(HandledMessage(MessageRest(envelope, refusal: refusal), entry: .message(key)))
    }

    var envelope: Envelope {
        switch self {
        case .handled(let message): message.rest.envelope
        case .repeated(let repeated): repeated.message.envelope
        case .settled(let message): message.envelope
        }
    }

    /// Bytes that it adds to a commit, about.
    var weight: Int {
        switch self {
        case .handled(let message): message.rest.weight
        case .repeated(let repeated): repeated.message.rest.weight
        case .settled(.committed(let message)): message.rest.weight
        case .settled(.postponed): 0
        }
    }
}

/// A message for which nothing is to be committed any more.
enum SettledMessage: Sendable {
    case committed(CommittedMessage)
    /// It waits elsewhere to be tried again; all that its front is told is that those behind it go on.
    case postponed(Envelope)

    static func refused(_ envelope: Envelope, _ refusal: Refusal) -> SettledMessage {
        .committed(CommittedMessage(envelope, refusal: refusal))
    }

    var envelope: Envelope {
        switch self {
        case .committed(let message): message.envelope
        case .postponed(let envelope): envelope
        }
    }
}

extension Array<MessageOutcome> {
    /// All of them, where they can be delivered without asking the database; `nil` where one cannot.
    var deliverable: [SettledMessage]? {
        var settled: [SettledMessage] = []
        settled.reserveCapacity(count)
        for outcome in self {
            guard case .settled(let message) = outcome else { return nil }
            if case .committed(let message) = message, message.needsDirectory { return nil }
            settled.append(message)
        }
        return settled
    }
}
