import FoundationEssentials
public import SparqWire

/// Turns the data of replies and events into JSON text.
package enum DataEncoder {
    /// Used by many tasks at once: encoding does not change it, and nobody changes its settings.
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return encoder
    }()

    package static func encode(_ value: any Encodable) throws -> ArraySlice<UInt8> {
        if let raw = value as? RawJSON { return raw.bytes }
        if let writable = value as? any JSONWritable {
            var writer = JSONWriter(reservingCapacity: 256)
            writable.write(to: &writer)
            return writer.bytes[...]
        }
        return ArraySlice(try encoder.encode(value))
    }
}

/// Data that writes its own JSON, for events and replies so frequent that `JSONEncoder`'s microseconds count.
///
/// It must write one JSON value, and the same that its `Encodable` conformance would give.
public protocol JSONWritable: Encodable {
    /// Writes the value.
    func write(to writer: inout JSONWriter)
}
