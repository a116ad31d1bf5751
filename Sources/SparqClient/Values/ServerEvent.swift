internal import SparqWire

/// Something that the server pushed.
public struct ServerEvent: Equatable, Sendable {
    /// The event's type, like `room.message`.
    public let type: String
    /// The topic; `nil` where the server spoke to this connection alone.
    public let topic: String?
    /// Its number in the topic; `nil` for an ephemeral event.
    public let seq: Int?
    /// The whole event as JSON text, as it came.
    public let bytes: [UInt8]

    /// Decodes the event's `data`.
    /// - Throws: ``ClientError/Code/decoding``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ClientError) -> Value {
        try ApplicationJSON.decode(type, from: (try? EventBody(decoding: bytes[...]))?.data)
    }
}
