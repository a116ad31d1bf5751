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
