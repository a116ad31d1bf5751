import SparqWire

extension Unit {
    /// A message that is refused, or failed: an error reply and nothing else.
    init(envelope: Envelope, refusal: Refusal) {
        self.init(envelope: envelope)
        reply = ReplyBody.error(id: envelope.id, refusal)
    }

    /// Encodes the effects. Throws where one cannot be encoded, and a ``Refusal`` where they are more than a message may bring.
    init(envelope: Envelope, effects: [Effect]) throws {
        self.init(envelope: envelope)
        if let topic = effects.lazy.compactMap(\.invalidTopic).first { throw InvalidTopic(topic: topic) }
        var data: ArraySlice<UInt8>?
        var sum = EffectSum()
        isOffer = try envelope.isResuming
        for effect in effects {
            switch effect {
            case .reply(let value): data = try sum.encode(value)
            case .append(let topic, let event):
                let event = PendingEvent(topic: topic.rawValue, type: type(of: event).eventType, data: try sum.encode(event))
                weight += event.data.count
                appends.append(event)
            case .publish(let topic, let event):
                let event = PendingEvent(topic: topic.rawValue, type: type(of: event).eventType, data: try sum.encode(event))
                // There may be many: a look-up and a line for each.
                weight += event.data.count + 100
                ephemerals.append(event)
            default: try add(effect, &sum)
            }
        }
        if data != nil || envelope.id != nil { reply = ReplyBody.success(id: envelope.id, data: data) }
        if isLifecycle {
            // What others hear of it must not come out of order: a `$connect` that a worker repeats, or comes to late, may be behind its `$disconnect`.
            if !appends.isEmpty || !ephemerals.isEmpty || !remote.isEmpty { key = MessageKey(envelope.type, of: envelope.connection) }
        } else if !appends.isEmpty {
            key = MessageKey(envelope)
        }
        weight += (reply?.count ?? 0) + 100
    }

    private var isLifecycle: Bool { envelope.type == SystemType.connect || envelope.type == SystemType.disconnect }

    /// Goes before a `$disconnect` that others hear of: takes the place of a `$connect` that has not run, so that it never will.
    var seal: Unit? {
        guard envelope.type == SystemType.disconnect, key != nil else { return nil }
        var seal = Unit(envelope: envelope)
        seal.key = MessageKey(SystemType.connect, of: envelope.connection)
        return seal
    }

    /// Whether it stands for the `$connect`, and not for what the `$disconnect` itself wants.
    var isSeal: Bool { envelope.type == SystemType.disconnect && key?.id == SystemType.connect }

    private mutating func add(_ effect: Effect, _ sum: inout EffectSum) throws {
        let connection = envelope.connection
        switch effect {
        case .send(let event):
            guard let connection else { return }
            let body = EventBody.ephemeral(type: type(of: event).eventType, topic: nil, data: try sum.encode(event))
            instructions.append(.send(connection: connection, ordinal: envelope.ordinal, body: body))
        case .subscribe, .unsubscribe, .disconnect, .beginSession, .endSession:
            guard let change = Change(effect, connection: connection) else { return }
            try sum.add(change.size)
            changes.append(change)
            make(change)
        case .reply, .append, .publish: break
        }
    }

    /// Names an instruction for other connections: the same when the broker delivers the message again, and no other's.
    private var nextOrigin: String? {
        guard envelope.ordinal > 0 else { return nil }
        return "\(envelope.connection ?? envelope.node) \(envelope.ordinal) \(remote.count)"
    }

    /// Makes a lasting change, or makes it anew.
    mutating func make(_ change: Change) {
        switch change {
        case .subscribe(let topic, let cursor): subscriptions.append((topic, cursor))
        case .unsubscribe(let topic, let user?):
            remote.append(.unsubscribe(.user(user), origin: nextOrigin, topics: [topic]))
        case .unsubscribe(let topic, nil):
            guard let connection = envelope.connection else { return }
            instructions.append(.unsubscribe(.connection(connection), ordinal: envelope.ordinal, topics: [topic]))
        case .disconnect(nil, let code, let reason):
            guard let connection = envelope.connection else { return }
            instructions.append(.disconnect(.connection(connection), ordinal: envelope.ordinal, code: code, reason: reason))
        case .disconnect(let target?, let code, let reason):
            remote.append(.disconnect(target, origin: nextOrigin, code: code, reason: reason))
        case .beginSession(let user): session = .begin(user: user)
        case .endSession: session = .end
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
