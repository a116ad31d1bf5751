internal import SparqWire

/// The server's answer to a message that took effect.
public struct Reply: Equatable, Sendable {
    /// The whole reply as JSON text, as it came.
    public let bytes: [UInt8]
    /// The message had taken effect before: this is the first reply again.
    public let isRepeat: Bool

    /// Decodes the reply's `data`.
    /// - Throws: ``ClientError/Code/decoding``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ClientError) -> Value {
        guard case .success(let data)? = (try? ReplyBody(decoding: bytes[...]))?.outcome else {
            throw ClientError(.decoding, "The reply has no \"data\".")
        }
        return try ApplicationJSON.decode(type, from: data)
    }
}
