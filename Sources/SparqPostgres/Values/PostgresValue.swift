/// One value of a result, in PostgreSQL's binary form. Keeps the result's memory alive.
public struct PostgresValue: Sendable {
    /// The type that the server says it has.
    public let type: PostgresType
    // Immutable memory, owned by `owner`.
    nonisolated(unsafe) private let memory: UnsafeRawBufferPointer?
    private let owner: ResultHandle

    init(type: PostgresType, memory: UnsafeRawBufferPointer?, owner: ResultHandle) {
        self.type = type
        self.memory = memory
        self.owner = owner
    }

    /// Whether it is NULL.
    public var isNull: Bool { memory == nil }

    /// Lends the bytes; they are valid within `body` alone.
    ///
    /// - Throws: ``PostgresError`` with the code `decoding` for NULL, and what `body` throws.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws(PostgresError) -> Result) throws(PostgresError) -> Result {
        let bytes = try bytes
        let result = try body(bytes)
        withExtendedLifetime(owner) {}
        return result
    }

    /// The bytes, valid as long as this value.
    var bytes: UnsafeRawBufferPointer {
        get throws(PostgresError) {
            guard let memory else { throw PostgresError(.decoding, "the value is NULL, and the type asked for is not optional") }
            return memory
        }
    }

    /// A value within this one: an array's element.
    func element(_ memory: UnsafeRawBufferPointer?, type: PostgresType) -> PostgresValue {
        PostgresValue(type: type, memory: memory, owner: owner)
    }

    /// An integer of fixed size, in network byte order.
    func fixed<Integer: FixedWidthInteger>(_ type: Integer.Type) throws(PostgresError) -> Integer {
        let bytes = try bytes
        guard bytes.count == MemoryLayout<Integer>.size else { throw malformed("\(type)") }
        return Integer(bigEndian: bytes.loadUnaligned(as: type))
    }

    /// The bytes of a type whose binary form is its text; `jsonb` has a version number in front.
    func textBytes(wanted: String) throws(PostgresError) -> UnsafeRawBufferPointer {
        let bytes = try bytes
        switch type {
        case .text, .varchar, .bpchar, .name, .json, .xml, .unknown, .char, .void: return bytes
        case .jsonb:
            guard bytes.first == 1 else { throw malformed("jsonb") }
            return UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        default:
            guard type.isUserDefined else { throw mismatch(wanted) }
            return bytes
        }
    }

    func mismatch(_ wanted: String) -> PostgresError {
        if isNull { return PostgresError(.decoding, "the value is NULL, and the type asked for is not optional") }
        let hint = type == .numeric ? " (numeric: cast it in the SQL)" : ""
        return PostgresError(.decoding, "a column with the type \(type.oid)\(hint) cannot be read as \(wanted)")
    }

    func malformed(_ wanted: String) -> PostgresError {
        PostgresError(.decoding, "the value is not a well-formed \(wanted)")
    }
}
