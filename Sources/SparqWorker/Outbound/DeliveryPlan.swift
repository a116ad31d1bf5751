import SparqWire

/// Collects the lines for each node, cut into AMQP messages of bounded size. A value without I/O.
struct DeliveryPlan: Sendable {
    /// One AMQP message for one node.
    struct Message: Equatable, Sendable {
        var node: String
        var body: [UInt8]
        /// It must live through the end of a broker: nobody would notice its loss. All else a front asks for again.
        var isIrreplaceable = false
    }

    fileprivate struct Part: Sendable {
        var writer = JSONWriter(reservingCapacity: 1024)
        var isIrreplaceable = false
    }

    fileprivate struct Lines: Sendable {
        var full: [Part] = []
        var forming = Part()
    }

    private let limit: Int
    private var lines: [String: Lines] = [:]

    /// - Parameter limit: The most bytes of one AMQP message; a line that is longer travels alone.
    init(limit: Int) { self.limit = limit }

    var isEmpty: Bool { lines.isEmpty }

    /// The AMQP messages; those of one node in order.
    var messages: [Message] {
        lines.flatMap { node, lines in
            (lines.full + (lines.forming.writer.bytes.isEmpty ? [] : [lines.forming])).map {
                Message(node: node, body: $0.writer.bytes, isIrreplaceable: $0.isIrreplaceable)
            }
        }
    }

    /// Appends a line for one node.
    mutating func add(_ delivery: SparqWire.Delivery, size: Int, to node: String) {
        lines[node, default: Lines()].make(room: size + 128, limit: limit)
        lines[node]?.forming.writer.append(delivery)
    }

    private mutating func add(lines bytes: [UInt8], to node: String) {
        guard !bytes.isEmpty else { return }
        lines[node, default: Lines()].make(room: bytes.count, limit: limit)
        lines[node]?.forming.writer.raw(bytes[...])
    }

    /// Appends a line for several nodes that none of them could ask for again.
    fileprivate mutating func addIrreplaceable(_ delivery: SparqWire.Delivery, to nodes: some Collection<String>) {
        add(delivery, size: 256, to: nodes)
        for node in nodes { lines[node]?.forming.isIrreplaceable = true }
    }

    /// Appends the same line for several nodes; it is encoded once.
    mutating func add(_ delivery: SparqWire.Delivery, size: Int, to nodes: some Collection<String>) {
        if nodes.count == 1, let node = nodes.first { return add(delivery, size: size, to: node) }
        if nodes.isEmpty { return }
        var line = JSONWriter(reservingCapacity: size + 128)
        line.append(delivery)
        for node in nodes {
            lines[node, default: Lines()].make(room: line.bytes.count, limit: limit)
            lines[node]?.forming.writer.raw(line.bytes[...])
        }
    }
}

extension DeliveryPlan {
    /// The lines of finished messages: for each node first what finishes them, each with what changes its connection's subscriptions, then
    /// events, so that a client has its reply before what follows from it.
    init(_ messages: [SettledMessage], directory: DirectoryView, limit: Int) {
        self.init(limit: limit)
        for message in messages {
            switch message {
            case .postponed(let envelope): add(lines: envelope.postponedLine, to: envelope.node)
            case .committed(let message):
                // Never cut: once a message is finished the node sends the connection's next one, whose outcome must not overtake this one's. Nor must
                // what later messages of the connection change come before what this one wants for all of its user's.
                let node = message.envelope.node
                let hasRemote = !message.rest.remote.isEmpty && directory.allNodes.contains(node)
                add(lines: message.rest.ownLines(directory, withRemote: hasRemote), to: node)
                if hasRemote { lines[node]?.forming.isIrreplaceable = true }
            }
        }
        for case .committed(let message) in messages where !message.rest.remote.isEmpty {
            let others = directory.allNodes.filter { $0 != message.envelope.node }
            for delivery in message.rest.remote { addIrreplaceable(delivery, to: others) }
        }
        for case .committed(let message) in messages {
            for event in message.events { add(.event(event), size: event.body.count, to: directory.nodes[event.topic] ?? []) }
            for event in message.rest.ephemerals {
                guard let nodes = directory.nodes[event.topic] else { continue }
                let body = EventBody.ephemeral(type: event.type, topic: event.topic, data: event.data)
                add(.event(Event(topic: event.topic, seq: nil, body: body)), size: body.count, to: nodes)
            }
        }
    }
}

extension Envelope {
    /// None for a system message: `$disconnect` must not overtake a `$connect` that is tried again.
    fileprivate var postponedLine: [UInt8] {
        guard let connection, !type.hasPrefix("$") else { return [] }
        var line = JSONWriter(reservingCapacity: 64)
        line.append(.postponed(connection: connection, ordinal: ordinal))
        return line.bytes
    }
}

extension MessageRest {
    /// The lines for the node that the message came from; with what it wants for all nodes at the end.
    fileprivate func ownLines(_ directory: DirectoryView, withRemote: Bool) -> [UInt8] {
        var lines = JSONWriter(reservingCapacity: 160 + (reply?.count ?? 0))
        if let connection = envelope.connection { connectionLines(connection, directory, into: &lines) }
        if withRemote { for delivery in remote { lines.append(delivery) } }
        return lines.bytes
    }

    private func connectionLines(_ connection: String, _ directory: DirectoryView, into lines: inout JSONWriter) {
        lines.append(.done(Done(connection: connection, ordinal: envelope.ordinal, reply: reply, session: session)))
        for instruction in instructions { lines.append(instruction) }
        guard !subscriptions.isEmpty else { return }
        let grants = subscriptions.map { topic, from in
            let head = directory.heads[topic] ?? 0
            return Grant(topic: topic, cursor: min(max(from ?? head, 0), head), head: head)
        }
        // Before what follows from it: the client learns the cursors that it would resume with.
        let body = SubscribedFrame.text(grants, isOffer: isOffer)
        lines.append(.send(connection: connection, ordinal: envelope.ordinal, body: body))
        if !isOffer { lines.append(.subscribe(connection: connection, ordinal: envelope.ordinal, grants: grants)) }
    }
}

extension DeliveryPlan.Lines {
    fileprivate mutating func make(room: Int, limit: Int) {
        guard !forming.writer.bytes.isEmpty, forming.writer.bytes.count + room > limit else { return }
        full.append(forming)
        forming = DeliveryPlan.Part()
    }
}

extension JSONWriter {
    fileprivate mutating func append(_ delivery: SparqWire.Delivery) { delivery.encode(into: &self) }
}
