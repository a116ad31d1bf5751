import SparqProtocol

/// Collects the lines for each node, cut into AMQP messages of bounded size. A value without I/O.
struct DeliveryPlan: Sendable {
    fileprivate struct Lines: Sendable {
        var full: [[UInt8]] = []
        var writer = JSONWriter(reservingCapacity: 1024)
    }

    private let limit: Int
    private var lines: [String: Lines] = [:]

    /// - Parameter limit: The most bytes of one AMQP message; a line that is longer travels alone.
    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { lines.isEmpty }

    /// Node and body of each AMQP message; those of one node in order.
    var messages: [(node: String, body: [UInt8])] {
        lines.flatMap { node, lines in
            lines.full.map { (node, $0) } + (lines.writer.bytes.isEmpty ? [] : [(node, lines.writer.bytes)])
        }
    }

    /// Appends a line for one node.
    mutating func add(_ delivery: SparqProtocol.Delivery, size: Int, to node: String) {
        lines[node, default: Lines()].make(room: size + 128, limit: limit)
        lines[node]?.writer.append(delivery)
    }

    private mutating func add(lines bytes: [UInt8], to node: String) {
        guard !bytes.isEmpty else { return }
        lines[node, default: Lines()].make(room: bytes.count, limit: limit)
        lines[node]?.writer.raw(bytes[...])
    }

    /// Appends the same line for several nodes; it is encoded once.
    mutating func add(_ delivery: SparqProtocol.Delivery, size: Int, to nodes: some Collection<String>) {
        if nodes.count == 1, let node = nodes.first { return add(delivery, size: size, to: node) }
        if nodes.isEmpty { return }
        var line = JSONWriter(reservingCapacity: size + 128)
        line.append(delivery)
        for node in nodes {
            lines[node, default: Lines()].make(room: line.bytes.count, limit: limit)
            lines[node]?.writer.raw(line.bytes[...])
        }
    }
}

extension DeliveryPlan {
    /// The lines of finished messages: for each node first what finishes them, each with what changes its connection's subscriptions, then
    /// events, so that a client has its reply before what follows from it.
    init(units: [Unit], directory: DirectoryView, limit: Int) {
        self.init(limit: limit)
        // By places: a unit has so many parts that copying it costs more than what is read here.
        for place in units.indices {
            // Never cut: once a message is finished the node sends the connection's next one, whose outcome must not overtake this one's.
            add(lines: units[place].ownLines(directory), to: units[place].envelope.node)
        }
        for place in units.indices {
            for delivery in units[place].remote { add(delivery, size: 256, to: directory.allNodes) }
        }
        for place in units.indices {
            for event in units[place].events { add(.event(event), size: event.body.count, to: directory.nodes[event.topic] ?? []) }
            for event in units[place].ephemerals {
                guard let nodes = directory.nodes[event.topic] else { continue }
                let body = EventBody.ephemeral(type: event.type, topic: event.topic, data: event.data)
                add(.event(Event(topic: event.topic, seq: nil, body: body)), size: body.count, to: nodes)
            }
        }
    }
}

extension Unit {
    /// The lines for the node that the message came from.
    fileprivate func ownLines(_ directory: DirectoryView) -> [UInt8] {
        guard let connection = envelope.connection else { return [] }
        var lines = JSONWriter(reservingCapacity: 160 + (reply?.count ?? 0))
        if isPostponed {
            // `$disconnect` must not overtake a `$connect` that is tried again.
            if !envelope.type.hasPrefix("$") { lines.append(.postponed(connection: connection, ordinal: envelope.ordinal)) }
            return lines.bytes
        }
        lines.append(.done(Done(connection: connection, ordinal: envelope.ordinal, reply: reply, session: session)))
        for instruction in instructions { lines.append(instruction) }
        guard !subscriptions.isEmpty else { return lines.bytes }
        let grants = subscriptions.map { topic, from in
            let head = directory.heads[topic] ?? 0
            return Grant(topic: topic, cursor: min(max(from ?? head, 0), head), head: head)
        }
        // Before what follows from it: the client learns the cursors that it would resume with.
        let body = EventBody.subscribed(grants, isOffer: isOffer)
        lines.append(.send(connection: connection, ordinal: envelope.ordinal, body: body))
        if !isOffer { lines.append(.subscribe(connection: connection, ordinal: envelope.ordinal, grants: grants)) }
        return lines.bytes
    }
}

extension DeliveryPlan.Lines {
    fileprivate mutating func make(room: Int, limit: Int) {
        guard !writer.bytes.isEmpty, writer.bytes.count + room > limit else { return }
        full.append(writer.bytes)
        writer = JSONWriter(reservingCapacity: 1024)
    }
}

extension JSONWriter {
    fileprivate mutating func append(_ delivery: SparqProtocol.Delivery) { delivery.encode(into: &self) }
}
