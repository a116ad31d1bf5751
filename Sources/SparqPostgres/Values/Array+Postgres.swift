extension Array: PostgresEncodable where Element: PostgresArrayElement {
    /// `bytea` for bytes, else the element's array type.
    public static var postgresType: PostgresType { Element.postgresArrayType }

    /// Writes the array's, or `bytea`'s, binary form.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        try Element.encodeArray(self, into: &writer)
        return true
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array, or a `bytea`.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> [Element] {
        try Element.decodeArray(value)
    }
}

extension UInt8: PostgresArrayElement {
    /// `bytea`.
    public static var postgresArrayType: PostgresType { .bytea }

    /// Writes the bytes as they are.
    public static func encodeArray(_ elements: [UInt8], into writer: inout ParameterWriter) throws(PostgresError) {
        writer.write(elements)
    }

    /// Reads a `bytea`, or the text of a JSON or text column.
    public static func decodeArray(_ value: PostgresValue) throws(PostgresError) -> [UInt8] {
        switch value.type {
        case .bytea: [UInt8](try value.bytes)
        default: [UInt8](try value.textBytes(wanted: "[UInt8]"))
        }
    }
}

extension Array: PostgresArrayElement where Element == UInt8 {
    /// `bytea[]`.
    public static var postgresArrayType: PostgresType { .byteaArray }
}

extension Array: PostgresScalar where Element == UInt8 {}
