extension Delivery {
    /// Appends the delivery as one line, its line break included.
    public func encode(into writer: inout JSONWriter) {
        switch self {
        case .event(let event):
            writer.raw("{\"kind\":\"event\",\"topic\":")
            writer.string(event.topic)
            if let seq = event.seq {
                writer.raw(",\"seq\":")
                writer.integer(seq)
            }
            writer.raw(",\"body\":")
            writer.json(event.body)
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
            writer.array(grants) { grant, writer in
                writer.raw("{\"topic\":")
                writer.string(grant.topic)
                writer.raw(",\"cursor\":")
                writer.integer(grant.cursor)
                writer.raw(",\"head\":")
                writer.integer(grant.head)
                writer.byte(UInt8(ascii: "}"))
            }
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
        case .synced(let synced):
            writer.raw("{\"kind\":\"synced\",\"version\":")
            writer.integer(synced.version)
            writer.raw(",\"topics\":")
            writer.array(synced.behind) { topic, writer in writer.string(topic) }
        case .lease(let answer):
            writer.raw("{\"kind\":\"lease\",\"answer\":")
            writer.string(answer.rawValue)
        case .differs(let difference):
            writer.raw("{\"kind\":\"differs\",\"buckets\":")
            writer.array(difference.buckets) { bucket, writer in writer.integer(bucket) }
            writer.raw(",\"topics\":")
            writer.array(difference.topics) { topic, writer in writer.string(topic) }
        }
        writer.raw("}\n")
    }
}

extension Done {
    fileprivate func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"done\",\"connection\":")
        writer.string(connection)
        writer.raw(",\"n\":")
        writer.integer(ordinal)
        switch session {
        case .begin(let user)?:
            writer.raw(",\"session\":\"begin\",\"user\":")
            writer.string(user)
        case .end?: writer.raw(",\"session\":\"end\"")
        case nil: break
        }
        if let reply {
            writer.raw(",\"body\":")
            writer.json(reply)
        }
    }
}

extension Target {
    fileprivate func encode(into writer: inout JSONWriter) {
        switch self {
        case .connection(let id):
            writer.raw(",\"connection\":")
            writer.string(id)
        case .user(let id):
            writer.raw(",\"user\":")
            writer.string(id)
        }
    }
}

extension Page {
    fileprivate func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"page\",\"topic\":")
        writer.string(topic)
        if let connection {
            writer.raw(",\"connection\":")
            writer.string(connection)
        }
        writer.raw(",\"after\":")
        writer.integer(after)
        writer.raw(",\"first\":")
        writer.integer(first)
        writer.raw(",\"head\":")
        writer.integer(head)
        writer.raw(",\"version\":")
        writer.integer(version)
        writer.raw(",\"events\":")
        writer.array(events) { event, writer in writer.json(event) }
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

    /// Appends an array; `element` writes each.
    public mutating func array<Element>(_ elements: [Element], _ element: (Element, inout JSONWriter) -> Void) {
        byte(UInt8(ascii: "["))
        for (index, value) in elements.enumerated() {
            if index > 0 { byte(UInt8(ascii: ",")) }
            element(value, &self)
        }
        byte(UInt8(ascii: "]"))
    }
}
