import SparqWire

/// What a message wants besides durable events: all that needs no commit of its own.
struct MessageRest: Sendable {
    typealias Subscription = (topic: String, from: Int?)

    let envelope: Envelope
    /// The whole reply.
    var reply: ArraySlice<UInt8>?
    var session: Done.SessionChange?
    var ephemerals: [PendingEvent] = []
    /// For the node that the message came from.
    var instructions: [SparqWire.Delivery] = []
    /// For all nodes: nobody else knows where a user's connections are.
    var remote: [SparqWire.Delivery] = []
    /// Topics to subscribe to, with the cursor; their heads are read after the commit.
    var subscriptions: [Subscription] = []
    /// The client comes back with cursors of its own: it is told of the subscriptions, and takes those itself that it does not have.
    var isOffer = false
    /// Bytes that it adds to a commit, about.
    var weight = 0

    /// Of a message that brings nothing.
    init(_ envelope: Envelope) { self.envelope = envelope }

    /// Of a message that is refused, or failed: an error reply and nothing else.
    init(_ envelope: Envelope, refusal: Refusal) {
        self.envelope = envelope
        reply = ReplyBody.error(id: envelope.id, refusal)
    }

    /// Whether the directory says who hears of it.
    var needsDirectory: Bool { !ephemerals.isEmpty || !remote.isEmpty || !subscriptions.isEmpty }

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
