/// A value in an AMQP table: a queue argument or a message header (AMQP 0-9-1, 4.2.1, in RabbitMQ's dialect).
public enum AMQPValue: Sendable, Hashable {
    /// No value (`V`).
    case null
    /// `t`
    case bool(Bool)
    /// All signed and the smaller unsigned integers of the wire are read as this; it is written as `l`.
    case int64(Int64)
    /// `L`, for values that an `Int64` cannot hold.
    case uint64(UInt64)
    /// `d`; `f` is read as this too.
    case double(Double)
    /// `D`: `unscaled` divided by ten to the power of `scale`.
    case decimal(scale: UInt8, unscaled: UInt32)
    /// `S` holding valid UTF-8.
    case string(String)
    /// `x`, or an `S` that is not valid UTF-8.
    case bytes([UInt8])
    /// `T`: seconds since 1970.
    case timestamp(UInt64)
    /// `A`
    case array([AMQPValue])
    /// `F`
    case table([String: AMQPValue])

    /// The text, if this is one.
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    /// The integer, if this is one that fits.
    public var intValue: Int? {
        switch self {
        case .int64(let value): Int(exactly: value)
        case .uint64(let value): Int(exactly: value)
        default: nil
        }
    }
}

extension AMQPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    /// A text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// An integer.
    public init(integerLiteral value: Int64) { self = .int64(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
