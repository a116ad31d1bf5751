/// One line of a batch from a worker to a node.
///
/// What a message wants for its own connection comes right behind its ``done(_:)``, in the same batch, and has its ordinal: a node that does not
/// take the one passes over the other. So a copy of an outcome that comes late changes nothing that later messages have changed since. What it wants
/// for all connections of a user has its origin, and a node that has heard of that passes over it too.
package enum Delivery: Equatable, Sendable {
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

extension Delivery {
    /// Appends the delivery as one line, its line break included.
    package func encode(into writer: inout JSONWriter) {
        switch self {
        case .event(let event): event.encode(into: &writer)
        case .done(let done): done.encode(into: &writer)
        case .postponed(let connection, let ordinal):
            writer.raw("{\"kind\":\"postponed\",\"connection\":")
            writer.string(connection)
            writer.raw(",\"n\":")
            writer.integer(ordinal)
        case .send(let connection, let ordinal, let body):
            writer.raw("{\"kind\":\"send\",\"connection\":")
            writer.string(connection)
            writer.ordinal(ordinal)
            writer.raw(",\"body\":")
            writer.json(body)
        case .subscribe(let connection, let ordinal, let grants):
            writer.raw("{\"kind\":\"subscribe\",\"connection\":")
            writer.string(connection)
            writer.ordinal(ordinal)
            writer.raw(",\"grants\":")
            writer.array(grants) { grant, writer in grant.encode(into: &writer) }
        case .unsubscribe(let target, let ordinal, let origin, let topics):
            writer.raw("{\"kind\":\"unsubscribe\"")
            target.encode(into: &writer)
            writer.ordinal(ordinal)
            writer.origin(origin)
            writer.raw(",\"topics\":")
            writer.array(topics) { topic, writer in writer.string(topic) }
        case .disconnect(let target, let ordinal, let origin, let code, let reason):
            writer.raw("{\"kind\":\"disconnect\"")
            target.encode(into: &writer)
            writer.ordinal(ordinal)
            writer.origin(origin)
            writer.raw(",\"code\":")
            writer.integer(code)
            writer.raw(",\"reason\":")
            writer.string(reason)
        case .page(let page): page.encode(into: &writer)
        case .synced(let synced): synced.encode(into: &writer)
        case .lease(let answer): answer.encode(into: &writer)
        case .differs(let difference): difference.encode(into: &writer)
        }
        writer.raw("}\n")
    }

    /// Reads one line. Keys come in any order; unknown ones are passed over.
    package init(line: ArraySlice<UInt8>) throws(JSONError) {
        let fields = try DeliveryFields(line: line)
        switch fields.kind {
        case "event": self = .event(try Event(fields))
        case "done": self = .done(try Done(fields))
        case "postponed":
            self = .postponed(connection: try fields.required(fields.connection), ordinal: try fields.required(fields.ordinal))
        case "send":
            self = .send(
                connection: try fields.required(fields.connection),
                ordinal: fields.ordinal,
                body: try fields.required(fields.body)
            )
        case "subscribe":
            self = .subscribe(connection: try fields.required(fields.connection), ordinal: fields.ordinal, grants: fields.grants)
        case "unsubscribe":
            self = .unsubscribe(try Target(fields), ordinal: fields.ordinal, origin: fields.origin, topics: fields.topics)
        case "disconnect":
            self = .disconnect(
                try Target(fields),
                ordinal: fields.ordinal,
                origin: fields.origin,
                code: try fields.required(fields.code),
                reason: fields.reason ?? ""
            )
        case "page": self = .page(try Page(fields))
        case "synced": self = .synced(try Synced(fields))
        case "lease": self = .lease(try LeaseAnswer(fields))
        case "differs": self = .differs(Difference(fields))
        default: throw JSONError(.wrongKind, at: 0)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func ordinal(_ ordinal: Int?) {
        guard let ordinal else { return }
        raw(",\"n\":")
        integer(ordinal)
    }

    fileprivate mutating func origin(_ origin: String?) {
        guard let origin else { return }
        raw(",\"origin\":")
        string(origin)
    }
}
