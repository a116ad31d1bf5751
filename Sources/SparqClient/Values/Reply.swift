internal import FoundationEssentials

/// The server's answer to a message that took effect.
public struct Reply: Equatable, Sendable {
    /// The whole reply as JSON text, as it came.
    public let bytes: [UInt8]
    /// The message had taken effect before: this is the first reply again.
    public let isRepeat: Bool

    /// Decodes the reply's `data`.
    /// - Throws: ``ClientError/Code/decoding``.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ClientError) -> Value {
        try DataWrapper<Value>.unwrap(bytes)
    }
}

/// The part of a reply or an event that belongs to the application.
struct DataWrapper<Value: Decodable>: Decodable {
    var data: Value

    static func unwrap(_ bytes: [UInt8]) throws(ClientError) -> Value {
        do {
            return try JSONDecoder().decode(Self.self, from: Data(bytes)).data
        } catch {
            throw ClientError(.decoding, "The \"data\" does not decode as \(Value.self).")
        }
    }
}
