/// A `timestamptz`: microseconds since 1970-01-01 00:00 UTC, the server's own precision.
public struct PostgresTimestamp: Sendable, Hashable, Comparable {
    /// Microseconds since the Unix epoch; may be negative.
    public var microseconds: Int64

    /// A point in time.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The server's `infinity`, after all other points in time.
    public static let infinity = PostgresTimestamp(microseconds: .max)
    /// The server's `-infinity`, before all other points in time.
    public static let negativeInfinity = PostgresTimestamp(microseconds: .min)

    /// 2000-01-01, where the server's binary form counts from, after the Unix epoch.
    private static let serverEpoch: Int64 = 946_684_800_000_000

    /// Earlier is less.
    public static func < (left: PostgresTimestamp, right: PostgresTimestamp) -> Bool { left.microseconds < right.microseconds }
}

extension PostgresTimestamp: PostgresScalar {
    /// `timestamptz`.
    public static var postgresType: PostgresType { .timestamptz }
    /// `timestamptz[]`.
    public static var postgresArrayType: PostgresType { .timestamptzArray }

    /// Eight bytes.
    public func encode(into writer: inout ParameterWriter) throws(PostgresError) -> Bool {
        if self == .infinity || self == .negativeInfinity {
            writer.write(microseconds)
            return true
        }
        let (value, overflow) = microseconds.subtractingReportingOverflow(Self.serverEpoch)
        guard !overflow else { throw PostgresError(.encoding, "a timestamp lies before what PostgreSQL can hold") }
        writer.write(value)
        return true
    }

    /// Reads a `timestamptz`; a `timestamp` without time zone needs a cast in the SQL.
    public static func decode(_ value: PostgresValue) throws(PostgresError) -> PostgresTimestamp {
        guard value.type == .timestamptz else { throw value.mismatch("PostgresTimestamp") }
        let raw = try value.fixed(Int64.self)
        if raw == .max { return .infinity }
        if raw == .min { return .negativeInfinity }
        // The server's last 30 years, to 294276, are beyond 64 bits of microseconds since 1970.
        let (microseconds, overflow) = raw.addingReportingOverflow(serverEpoch)
        guard !overflow else { throw PostgresError(.decoding, "the value does not fit into PostgresTimestamp") }
        return PostgresTimestamp(microseconds: microseconds)
    }
}
