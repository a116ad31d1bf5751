import SparqWire

/// The node's own messages to the workers.
struct NodeEnvelopes: Sendable {
    let node: String

    func sync(_ request: SyncRequest, at time: Int) -> Envelope {
        envelope(SystemType.sync, at: time) { writer in
            writer.raw(",\"version\":")
            writer.integer(request.version)
            writer.raw(",\"topics\":")
            writer.object(request.topics)
            if let joined = request.joined, !joined.isEmpty {
                writer.raw(",\"joined\":")
                writer.object(joined)
            }
            if request.brief == true { writer.raw(",\"brief\":true") }
        }
    }

    func leave(_ request: LeaveRequest, at time: Int) -> Envelope {
        envelope(SystemType.leave, at: time) { writer in
            writer.raw(",\"version\":")
            writer.integer(request.version)
            writer.raw(",\"topics\":")
            writer.array(request.topics) { topic, writer in writer.string(topic) }
        }
    }

    func read(_ request: ReadRequest, at time: Int) -> Envelope {
        envelope(SystemType.read, at: time) { writer in
            writer.raw(",\"topic\":")
            writer.string(request.topic)
            writer.raw(",\"after\":")
            writer.integer(request.after)
            writer.raw(",\"connection\":")
            writer.string(request.connection)
        }
    }

    func lease(_ request: LeaseRequest, at time: Int) -> Envelope {
        envelope(SystemType.lease, at: time) { writer in
            writer.raw(",\"incarnation\":")
            writer.string(request.incarnation)
            writer.raw(",\"version\":")
            writer.integer(request.version)
            writer.raw(",\"topicCount\":")
            writer.integer(request.topicCount)
            writer.raw(",\"checksum\":")
            writer.integer(request.checksum)
            if request.settled { writer.raw(",\"settled\":true") } else { writer.raw(",\"settled\":false") }
            if request.leaving { writer.raw(",\"leaving\":true") } else { writer.raw(",\"leaving\":false") }
            if let sums = request.sums {
                writer.raw(",\"sums\":")
                writer.array(sums) { sum, writer in writer.integer(sum) }
            }
        }
    }

    private func envelope(_ type: String, at time: Int, _ body: (inout JSONWriter) -> Void) -> Envelope {
        var writer = JSONWriter(reservingCapacity: 256)
        writer.raw("{\"type\":")
        writer.string(type)
        body(&writer)
        writer.raw("}")
        return Envelope(
            node: node,
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: time,
            type: type,
            id: nil,
            message: writer.bytes[...]
        )
    }
}

extension JSONWriter {
    fileprivate mutating func object(_ members: [String: Int]) {
        raw("{")
        var isFirst = true
        for (key, value) in members {
            if !isFirst { raw(",") }
            isFirst = false
            string(key)
            raw(":")
            integer(value)
        }
        raw("}")
    }
}
