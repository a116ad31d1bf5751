import SparqWire

/// The JSON texts of replies (docs/PROTOCOL.md, "From the server").
enum Reply {
    static func success(id: String?, data: ArraySlice<UInt8>?) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 64 + (data?.count ?? 0))
        begin(&writer, id)
        writer.raw("\"ok\":true")
        if let data {
            writer.raw(",\"data\":")
            writer.json(data)
        }
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    static func error(id: String?, _ refusal: Refusal) -> ArraySlice<UInt8> {
        var writer = JSONWriter(reservingCapacity: 128)
        begin(&writer, id)
        writer.raw("\"ok\":false,\"error\":{\"code\":")
        writer.string(refusal.code.rawValue)
        writer.raw(",\"message\":")
        writer.string(refusal.message)
        writer.raw("}}")
        return writer.bytes[...]
    }

    /// A first reply, marked as coming again.
    static func repeated(_ reply: ArraySlice<UInt8>, mismatch: Bool) -> ArraySlice<UInt8> {
        guard reply.last == UInt8(ascii: "}") else { return reply }
        var writer = JSONWriter(reservingCapacity: reply.count + 32)
        writer.raw(reply.dropLast())
        writer.raw(",\"repeat\":true")
        if mismatch { writer.raw(",\"mismatch\":true") }
        writer.byte(UInt8(ascii: "}"))
        return writer.bytes[...]
    }

    private static func begin(_ writer: inout JSONWriter, _ id: String?) {
        writer.byte(UInt8(ascii: "{"))
        if let id {
            writer.raw("\"re\":")
            writer.string(id)
            writer.byte(UInt8(ascii: ","))
        }
    }
}
