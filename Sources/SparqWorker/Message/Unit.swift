import SparqWire

/// One message with all that its handler wants, on its way through the stages.
struct Unit: Sendable {
    typealias Subscription = (topic: String, from: Int?)

    let envelope: Envelope
    /// Set where the inbox must know it, or may already: it has durable effects, a user and an `id`; it begins or ends a connection that others hear of;
    /// or it is refused now and took effect before.
    var key: MessageKey?
    /// The whole reply.
    var reply: ArraySlice<UInt8>?
    var session: Done.SessionChange?
    /// It waits to be tried again; all that its front is told is that those behind it go on.
    var isPostponed = false
    /// Durable events that are still to be committed.
    var appends: [PendingEvent] = []
    /// Durable events that are committed.
    var events: [Event] = []
    var ephemerals: [PendingEvent] = []
    /// For the node that the message came from.
    var instructions: [SparqWire.Delivery] = []
    /// For all nodes: nobody else knows where a user's connections are.
    var remote: [SparqWire.Delivery] = []
    /// Topics to subscribe to, with the cursor; their heads are read after the commit.
    var subscriptions: [Subscription] = []
    /// Those of the topics that policies must allow first, because it is a repeat.
    var doubtful: Set<String> = []
    /// The client comes back with cursors of its own: it is told of the subscriptions, and takes those itself that it does not have.
    var isOffer = false
    /// Those of the effects that last, for the inbox.
    var changes: [Change] = []
    /// Bytes that it adds to a commit, about.
    var weight = 0

    init(envelope: Envelope) { self.envelope = envelope }

    /// How the inbox notes the changes.
    var changesText: String? { changes.isEmpty ? nil : Changes(changes, of: envelope).text }

    var needsCommit: Bool { !appends.isEmpty || key != nil }
    var needsDatabase: Bool { needsCommit || !events.isEmpty || !ephemerals.isEmpty || !remote.isEmpty || !subscriptions.isEmpty }
}
