public import SparqWire

/// Data that writes its own JSON, for events and replies so frequent that `JSONEncoder`'s microseconds count.
///
/// It must write one JSON value, and the same that its `Encodable` conformance would give.
public protocol JSONWritable: Encodable {
    /// Writes the value.
    func write(to writer: inout JSONWriter)
}
