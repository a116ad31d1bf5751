/// JSON text that is there already, for the data of replies and events. It is not checked: the caller answers for its grammar.
///
/// Only a whole `data` can be raw, not a field inside of another value.
public struct RawJSON: Encodable, Sendable, Hashable {
    /// One JSON value.
    public let bytes: ArraySlice<UInt8>

    /// JSON text.
    public init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// Refused: inside of another value the bytes have no place.
    public func encode(to encoder: any Encoder) throws {
        throw EncodingError.invalidValue(self, .init(codingPath: encoder.codingPath, debugDescription: "raw JSON cannot be a field"))
    }
}

/// A message as the client's own bytes, for handlers that decode by themselves or not at all.
///
/// ```swift
/// router.on("echo", RawMessage.self) { message, _ in [.reply(RawJSON(message.json))] }
/// ```
public struct RawMessage: Decodable, Sendable {
    /// The client's JSON object, checked by the front.
    public let json: ArraySlice<UInt8>

    init(json: ArraySlice<UInt8>) { self.json = json }

    /// Only the router makes raw messages.
    public init(from decoder: any Decoder) throws {
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "a raw message is not a field"))
    }
}
