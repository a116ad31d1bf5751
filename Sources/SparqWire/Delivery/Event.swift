/// Something that a server pushes to the subscribers of a topic.
package struct Event: Equatable, Sendable {
    /// The topic.
    package var topic: String
    /// Its number in the topic: 1, 2, 3… without gaps; `nil` for an ephemeral one, which is dropped rather than queued.
    package var seq: Int?
    /// The JSON text that clients get, as it is.
    package var body: ArraySlice<UInt8>

    /// An event of its parts.
    @inlinable package init(topic: String, seq: Int?, body: ArraySlice<UInt8>) {
        self.topic = topic
        self.seq = seq
        self.body = body
    }
}

extension Event {
    func encode(into writer: inout JSONWriter) {
        writer.raw("{\"kind\":\"event\",\"topic\":")
        writer.string(topic)
        if let seq {
            writer.raw(",\"seq\":")
            writer.integer(seq)
        }
        writer.raw(",\"body\":")
        writer.json(body)
    }

    init(_ fields: DeliveryFields) throws(JSONError) {
        self.init(topic: try fields.required(fields.topic), seq: fields.seq, body: try fields.required(fields.body))
    }
}
