import SparqWire

/// A message with what its handler wants, of which something is to be committed: durable events, or a row of the inbox.
///
/// A class, because it has many parts and passes through many hands.
final class HandledMessage: Sendable {
    /// How the inbox is to know it.
    enum Entry: Sendable {
        /// It has durable effects, a user and an `id`; it begins or ends a connection that others hear of; or it is refused now and took effect before.
        case message(MessageKey)
        /// It goes before a `$disconnect`, and takes the place of a `$connect` that has not run, so that it never will.
        case seal(MessageKey)

        var key: MessageKey {
            switch self {
            case .message(let key), .seal(let key): key
            }
        }
    }

    /// All that needs no commit.
    let rest: MessageRest
    let entry: Entry?
    let appends: [PendingEvent]
    /// Those of the effects that last, for the inbox.
    let changes: [Change]

    init(_ rest: MessageRest, entry: Entry?, appends: [PendingEvent] = [], changes: [Change] = []) {
        self.rest = rest
        self.entry = entry
        self.appends = appends
        self.changes = changes
    }

    var key: MessageKey? { entry?.key }
    var needsCommit: Bool { !appends.isEmpty || entry != nil }
    /// How the inbox notes the changes.
    var changesText: String? { changes.isEmpty ? nil : Changes(changes, of: rest.envelope).lines }

    /// What goes before a `$disconnect` that others hear of.
    var seal: HandledMessage? {
        guard rest.envelope.type == SystemType.disconnect, case .message? = entry,
            let key = MessageKey(SystemType.connect, of: rest.envelope.connection)
        else { return nil }
        return HandledMessage(MessageRest(rest.envelope), entry: .seal(key))
    }
}

extension HandledMessage {
    /// Encodes the effects. Throws where one cannot be encoded, and a ``Refusal`` where they are more than a message may bring.
    ///
    /// - Parameter key: What the inbox is to know it by in any case.
    convenience init(_ envelope: Envelope, effects: [Effect], key: MessageKey? = nil) throws {
        let taken = try TakenEffects(envelope, effects)
        self.init(taken.rest, entry: (key ?? taken.key).map(Entry.message), appends: taken.appends, changes: taken.changes)
    }
}

/// The effects of a message, encoded.
private struct TakenEffects {
    var rest: MessageRest
    var appends: [PendingEvent] = []
    var changes: [Change] = []
    private var bytes = EffectBytes()

    init(_ envelope: Envelope, _ effects: [Effect]) throws {
        rest = MessageRest(envelope)
        if let topic = effects.lazy.compactMap(\.invalidTopic).first { throw InvalidTopic(topic: topic) }
        var data: ArraySlice<UInt8>?
        rest.isOffer = try envelope.isResuming
        for effect in effects {
            switch effect {
            case .reply(let value): data = try bytes.encode(value)
            case .append(let topic, let event):
                let event = PendingEvent(topic: topic.rawValue, type: type(of: event).eventType, data: try bytes.encode(event))
                rest.weight += event.data.count
                appends.append(event)
            case .publish(let topic, let event):
                let event = PendingEvent(topic: topic.rawValue, type: type(of: event).eventType, data: try bytes.encode(event))
                // There may be many: a look-up and a line for each.
                rest.weight += event.data.count + 100
                rest.ephemerals.append(event)
            default: try add(effect)
            }
        }
        if data != nil || envelope.id != nil { rest.reply = ReplyBody.success(id: envelope.id, data: data) }
        rest.weight += (rest.reply?.count ?? 0) + 100
    }

    /// What the inbox is to know it by.
    var key: MessageKey? {
        let envelope = rest.envelope
        guard envelope.type == SystemType.connect || envelope.type == SystemType.disconnect else {
            return appends.isEmpty ? nil : MessageKey(envelope)
        }
        // What others hear of it must not come out of order: a `$connect` that a worker repeats, or comes to late, may be behind its `$disconnect`.
        if appends.isEmpty, rest.ephemerals.isEmpty, rest.remote.isEmpty { return nil }
        return MessageKey(envelope.type, of: envelope.connection)
    }

    private mutating func add(_ effect: Effect) throws {
        let envelope = rest.envelope
        switch effect {
        case .send(let event):
            guard let connection = envelope.connection else { return }
            let body = EventBody.ephemeral(type: type(of: event).eventType, topic: nil, data: try bytes.encode(event))
            rest.instructions.append(.send(connection: connection, ordinal: envelope.ordinal, body: body))
        case .subscribe, .unsubscribe, .disconnect, .beginSession, .endSession:
            guard let change = Change(effect, connection: envelope.connection) else { return }
            try bytes.add(change.size)
            changes.append(change)
            rest.make(change)
        case .reply, .append, .publish: break
        }
    }
}

/// A handler named a topic that cannot be.
struct InvalidTopic: Error, CustomStringConvertible {
    var topic: Topic
    var description: String { "an effect names a topic that is empty, too long, holds control characters, or is not in Unicode's form NFC" }
}

extension Effect {
    fileprivate var invalidTopic: Topic? {
        switch self {
        case .append(let topic, _), .publish(let topic, _), .subscribe(let topic, _), .unsubscribe(let topic, _):
            topic.isValid ? nil : topic
        // Every user has a topic.
        case .beginSession(let user): Topic.isUser(user) ? nil : .user(user)
        case .reply, .send, .disconnect, .endSession: nil
        }
    }
}

extension Envelope {
    /// Whether it is the `$connect` of a client that comes back: being subscribed from now would open a gap below the client's own cursors.
    var isResuming: Bool {
        get throws {
            try type == SystemType.connect && MessageDecoder.decode(ConnectRequest.self, from: message).resume == true
        }
    }
}

/// A durable event that has no number yet, or an ephemeral one that gets none.
struct PendingEvent: Equatable, Sendable {
    var topic: String
    var type: String
    var data: ArraySlice<UInt8>
}
