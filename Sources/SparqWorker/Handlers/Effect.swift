public import SparqWire

/// What a handler wants to happen. Durable effects (``append(to:_:)``) of a message take place exactly once, if the message has an `id`
/// and a user; all others happen after them. Beside durable effects, those that change who hears what (subscribe, unsubscribe, disconnect)
/// or who the client is (begin and end a session) happen at least once.
public enum Effect: Sendable {
    /// The `data` of the reply to the message. The last one counts. Without it, a message that has an `id` gets a bare `"ok":true`.
    case reply(any Encodable & Sendable)
    /// A durable event: numbered, kept in the topic's log, delivered to every subscriber exactly once and in order.
    case append(to: Topic, any EventData)
    /// An ephemeral event for the connection that the message came from.
    case send(any EventData)
    /// An ephemeral event for the present subscribers of a topic; may be lost.
    case publish(to: Topic, any EventData)
    /// The connection that the message came from becomes a subscriber, of what follows the `seq`; `nil` means from now on.
    /// Policies are not asked. At the connect of a client that comes back it is an offer (docs/PROTOCOL.md, `$offered`): it subscribes itself to
    /// what it does not have yet, and then they are.
    case subscribe(Topic, from: Int? = nil)
    /// Ends the subscription of the connection that the message came from, or of all connections of a user, wherever they are.
    case unsubscribe(Topic, user: String? = nil)
    /// Closes sockets, with a code (RFC 6455, section 7.4; without one ``CloseCodes/disconnected``) and a reason of at most 123 bytes.
    case disconnect(Target, code: Int = CloseCodes.disconnected, reason: String = "")
    /// The client that asked is this user from now on; takes effect on replies to HTTP requests.
    case beginSession(user: String)
    /// The client that asked is nobody from now on; takes effect on replies to HTTP requests.
    case endSession
}

/// The data of one kind of event that clients get: `{"type":…,"data":{…}}`.
public protocol EventData: Encodable & Sendable {
    /// The event's `type`, such as `room.message`.
    static var eventType: String { get }
}
