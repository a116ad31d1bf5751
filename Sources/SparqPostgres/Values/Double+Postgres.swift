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
