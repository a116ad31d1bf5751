/// One line of a batch from a worker to a node.
///
/// What a message wants for its own connection comes right behind its ``done(_:)``, in the same batch, and has its ordinal: a node that does not
/// take the one passes over the other. So a copy of an outcome that comes late changes nothing that later messages have changed since. What it wants
/// for all connections of a user has its origin, and a node that has heard of that passes over it too.
public enum Delivery: Equatable, Sendable {
    /// For the subscribers of a topic.
    case event(Event)
    /// A message of a connection is finished.
    case done(Done)
    /// A message of a connection failed in passing and is tried again later: those behind it go on, and its ``done(_:)`` comes when it is
    /// finished.
    case postponed(connection: String, ordinal: Int)
    /// An ephemeral event for one connection.
    case send(connection: String, ordinal: Int? = nil, body: ArraySlice<UInt8>)
    /// A connection becomes a subscriber.
    case subscribe(connection: String, ordinal: Int? = nil, grants: [Grant])
    /// Subscribers no more.
    case unsubscribe(Target, ordinal: Int? = nil, origin: String? = nil, topics: [String])
    /// Close the sockets with this code (RFC 6455, section 7.4) and reason (123 bytes at most).
    case disconnect(Target, ordinal: Int? = nil, origin: String? = nil, code: Int, reason: String)
    /// A piece of a topic's log.
    case page(Page)
    /// Of all other topics that a node asked for together there is nothing new.
    case synced(Synced)
    /// The answer to the renewal of the node's lease.
    case lease(LeaseAnswer)
    /// Where the directory differs from what the node said in its lease.
    case differs(Difference)
}
