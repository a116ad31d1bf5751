/// PostgreSQL's binary form of arrays (`array_send` and `array_recv`): the number of dimensions, a flag for NULLs, the element's
/// type, each dimension's size and lower bound, then every element after its length, or -1 for NULL.
enum ArrayFormat {
    static func encode<Element: PostgresEncodable>(
        _ elements: [Element],
        of type: PostgresType,
        into writer: inout ParameterWriter
    ) throws(PostgresError) {
        guard let count = Int32(exactly: elements.count) else {
            throw PostgresError(.encoding, "an array has more elements than PostgreSQL can hold")
        }
        writer.write(Int32(count == 0 ? 0 : 1))
        writer.write(Int32(1))
        writer.write(type.oid)
        guard count > 0 else { return }
        writer.write(count)
        writer.write(Int32(1))
        for element in elements {
            try writer.writeCounted { (inner) throws(PostgresError) in try element.encode(into: &inner) }
        }
    }

    static func decode<Element: PostgresDecodable>(_ value: PostgresValue, of _: Element.Type) throws(PostgresError) -> [Element] {
        let bytes = try value.bytes
        var offset = 0
        func integer() throws(PostgresError) -> Int {
            guard bytes.count - offset >= 4 else { throw value.malformed("array") }
            defer { offset += 4 }
            return Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
        }
        let dimensions = try integer()
        _ = try integer()
        let type = PostgresType(oid: UInt32(truncatingIfNeeded: try integer()))
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw value.malformed("one-dimensional array") }
        let count = try integer()
        _ = try integer()
        guard count >= 0, count <= bytes.count / 4 else { throw value.malformed("array") }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            let length = try integer()
            if length < 0 {
                elements.append(try Element.decode(value.element(nil, type: type)))
                continue
            }
            guard length <= bytes.count - offset else { throw value.malformed("array") }
            let slice = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
            elements.append(try Element.decode(value.element(slice, type: type)))
            offset += length
        }
        return elements
    }
}
