/// Collects the binary form of a statement's parameters, one after the other in one buffer.
public struct ParameterWriter: Sendable {
    /// The bytes of all parameters.
    private(set) var bytes: [UInt8] = []

    /// Appends bytes as they are.
    public mutating func write(_ source: some Sequence<UInt8>) {
        bytes.append(contentsOf: source)
    }

    /// Appends an integer in network byte order, PostgreSQL's binary form.
    public mutating func write(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Appends the length (4 bytes) of what `body` writes, then that itself: the form of an array's element.
    mutating func writeCounted(_ body: (inout ParameterWriter) throws(PostgresError) -> Bool) throws(PostgresError) {
        let start = bytes.count
        write(Int32(-1))
        guard try body(&self) else { return }
        guard let length = Int32(exactly: bytes.count - start - 4) else {
            throw PostgresError(.encoding, "an array's element is longer than 2 GiB")
        }
        withUnsafeBytes(of: length.bigEndian) { prefix in
            for offset in 0..<4 { bytes[start + offset] = prefix[offset] }
        }
    }
}
