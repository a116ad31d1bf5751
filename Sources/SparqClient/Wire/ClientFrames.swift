internal import FoundationEssentials
internal import SparqWire

/// The texts that a client sends.
enum ClientFrames {
    /// A message whose handler's fields are `fields`: the text of a JSON object.
    static func message(type: String, id: String, fields: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: fields.count + type.utf8.count + 48)
        writer.raw("{\"type\":")
        writer.string(type)
        writer.raw(",\"id\":")
        writer.string(id)
        let members = fields.dropFirst().drop { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
        if members.first != UInt8(ascii: "}") { writer.byte(UInt8(ascii: ",")) }
        writer.raw(members)
        return writer.bytes
    }

    static func subscribe(id: String, topics: [(topic: String, cursor: Int?)]) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"type\":\"subscribe\",\"id\":")
        writer.string(id)
        writer.raw(",\"topics\":{")
        for (index, entry) in topics.enumerated() {
            if index > 0 { writer.byte(UInt8(ascii: ",")) }
            writer.string(entry.topic)
            writer.byte(UInt8(ascii: ":"))
            if let cursor = entry.cursor { writer.integer(cursor) } else { writer.raw("null") }
        }
        writer.raw("}}")
        return writer.bytes
    }

    static func unsubscribe(id: String, topics: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"type\":\"unsubscribe\",\"id\":")
        writer.string(id)
        writer.raw(",\"topics\":")
        writer.array(topics) { topic, writer in writer.string(topic) }
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes
    }

    /// The text of an object of the handler's fields.
    static func fields(_ value: some Encodable) throws(ClientError) -> [UInt8] {
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try JSONEncoder().encode(value))
        } catch {
            throw ClientError(.encoding, "The fields do not encode.")
        }
        guard bytes.first == UInt8(ascii: "{") else { throw ClientError(.encoding, "The fields are no JSON object.") }
        return bytes
    }
}
