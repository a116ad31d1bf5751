internal import FoundationEssentials

/// The parts of messages, replies and events that belong to the application.
enum ApplicationJSON {
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

    /// Decodes the `data` of a reply or an event.
    static func decode<Value: Decodable>(_ type: Value.Type, from data: ArraySlice<UInt8>?) throws(ClientError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(data ?? []))
        } catch {
            throw ClientError(.decoding, "The \"data\" does not decode as \(type).")
        }
    }
}
