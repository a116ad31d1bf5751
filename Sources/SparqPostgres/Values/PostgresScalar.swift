/// A type with one PostgreSQL type of its own, and an array type of that.
public protocol PostgresScalar: PostgresEncodable, PostgresDecodable, PostgresArrayElement {}

extension PostgresValue {
    /// An integer of any of the server's integer types, where it fits.
    fileprivate func integer<Integer: FixedWidthInteger>(as wanted: Integer.Type) throws(PostgresError) -> Integer {
        let wide: Int64 =
            switch type {
            case .int8: try fixed(Int64.self)
            case .int4: Int64(try fixed(Int32.self))
            case .int2: Int64(try fixed(Int16.self))
            case .oid: Int64(try fixed(UInt32.self))
            default: throw mismatch("\(wanted)")
            }
        guard let exact = Integer(exactly: wide) else {
            throw PostgresError(.decoding, "the value does not fit into \(wanted)")
        }
        return exact
    }
}

extension Int: PostgresScalar {
    /// `int8`.
    public static var postgresType: PostgresType { .int8 }
    /// `int8[]`.
    public static var postgresArrayType: PostgresType { .int8Array }
    /// Eight bytes.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(Int64(self))
        return true
    }
    /// Reads any integer type.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Int { try value.integer(as: Int.self) }
}

extension Int64: PostgresScalar {
    /// `int8`.
    public static var postgresType: PostgresType { .int8 }
    /// `int8[]`.
    public static var postgresArrayType: PostgresType { .int8Array }
    /// Eight bytes.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(self)
        return true
    }
    /// Reads any integer type.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Int64 { try value.integer(as: Int64.self) }
}

extension Int32: PostgresScalar {
    /// `int4`.
    public static var postgresType: PostgresType { .int4 }
    /// `int4[]`.
    public static var postgresArrayType: PostgresType { .int4Array }
    /// Four bytes.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(self)
        return true
    }
    /// Reads any integer type, where the value fits.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Int32 { try value.integer(as: Int32.self) }
}

extension Int16: PostgresScalar {
    /// `int2`.
    public static var postgresType: PostgresType { .int2 }
    /// `int2[]`.
    public static var postgresArrayType: PostgresType { .int2Array }
    /// Two bytes.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(self)
        return true
    }
    /// Reads any integer type, where the value fits.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Int16 { try value.integer(as: Int16.self) }
}

extension Double: PostgresScalar {
    /// `float8`.
    public static var postgresType: PostgresType { .float8 }
    /// `float8[]`.
    public static var postgresArrayType: PostgresType { .float8Array }
    /// Eight bytes, IEEE 754.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(bitPattern)
        return true
    }
    /// Reads `float8` and `float4`. A `numeric` needs a cast in the SQL.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Double {
        switch value.type {
        case .float8: Double(bitPattern: try value.fixed(UInt64.self))
        case .float4: Double(Float(bitPattern: try value.fixed(UInt32.self)))
        default: throw value.mismatch("Double")
        }
    }
}

extension Bool: PostgresScalar {
    /// `bool`.
    public static var postgresType: PostgresType { .bool }
    /// `bool[]`.
    public static var postgresArrayType: PostgresType { .boolArray }
    /// One byte.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        writer.write(UInt8(self ? 1 : 0))
        return true
    }
    /// Reads a `bool`.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> Bool {
        guard value.type == .bool else { throw value.mismatch("Bool") }
        return try value.fixed(UInt8.self) != 0
    }
}
