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
