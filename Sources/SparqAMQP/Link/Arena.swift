internal import CRabbitMQ
internal import Glibc

/// Memory for what a method or a message carries besides its body, for as long as librabbitmq needs to encode it.
final class Arena {
    private let pool: UnsafeMutablePointer<amqp_pool_t>

    init() {
        pool = .allocate(capacity: 1)
        pool.initialize(to: amqp_pool_t())
        init_amqp_pool(pool, 4096)
    }

    deinit {
        empty_amqp_pool(pool)
        pool.deallocate()
    }

    /// Ends the life of everything that was made here.
    func reset() { recycle_amqp_pool(pool) }

    func bytes(_ text: String) throws(AMQPError) -> amqp_bytes_t {
        var text = text
        let count = text.utf8.count
        guard count > 0 else { return amqp_bytes_t() }
        let memory = try allocate(count)
        text.withUTF8 { memory.copyMemory(from: UnsafeRawPointer($0.baseAddress.unsafelyUnwrapped), byteCount: $0.count) }
        return amqp_bytes_t(len: count, bytes: memory)
    }

    func table(_ table: [String: AMQPValue]) throws(AMQPError) -> amqp_table_t {
        guard !table.isEmpty else { return amqp_table_t() }
        let entries = try allocate(table.count * MemoryLayout<amqp_table_entry_t>.stride).bindMemory(
            to: amqp_table_entry_t.self,
            capacity: table.count
        )
        var index = 0
        for (key, value) in table {
            (entries + index).initialize(to: amqp_table_entry_t(key: try bytes(key), value: try field(value)))
            index += 1
        }
        return amqp_table_t(num_entries: Int32(table.count), entries: entries)
    }

    private func field(_ value: AMQPValue) throws(AMQPError) -> amqp_field_value_t {
        var field = amqp_field_value_t()
        switch value {
        case .null: field.kind = FieldKind.null
        case .bool(let value):
            field.kind = FieldKind.bool
            field.value.boolean = value ? 1 : 0
        case .int64(let value):
            field.kind = FieldKind.int64
            field.value.i64 = value
        case .uint64(let value):
            field.kind = FieldKind.uint64
            field.value.u64 = value
        case .double(let value):
            field.kind = FieldKind.double
            field.value.f64 = value
        case .decimal(let scale, let unscaled):
            field.kind = FieldKind.decimal
            field.value.decimal = amqp_decimal_t(decimals: scale, value: unscaled)
        case .string(let value):
            field.kind = FieldKind.string
            field.value.bytes = try bytes(value)
        case .bytes(let value):
            field.kind = FieldKind.bytes
            field.value.bytes = try bytes(value)
        case .timestamp(let value):
            field.kind = FieldKind.timestamp
            field.value.u64 = value
        case .array(let values):
            field.kind = FieldKind.array
            field.value.array = try array(values)
        case .table(let value):
            field.kind = FieldKind.table
            field.value.table = try table(value)
        }
        return field
    }

    private func array(_ values: [AMQPValue]) throws(AMQPError) -> amqp_array_t {
        guard !values.isEmpty else { return amqp_array_t() }
        let entries = try allocate(values.count * MemoryLayout<amqp_field_value_t>.stride).bindMemory(
            to: amqp_field_value_t.self,
            capacity: values.count
        )
        for (index, value) in values.enumerated() { (entries + index).initialize(to: try field(value)) }
        return amqp_array_t(num_entries: Int32(values.count), entries: entries)
    }

    private func bytes(_ bytes: [UInt8]) throws(AMQPError) -> amqp_bytes_t {
        guard !bytes.isEmpty else { return amqp_bytes_t() }
        let memory = try allocate(bytes.count)
        bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress.unsafelyUnwrapped, byteCount: $0.count) }
        return amqp_bytes_t(len: bytes.count, bytes: memory)
    }

    private func allocate(_ count: Int) throws(AMQPError) -> UnsafeMutableRawPointer {
        guard let memory = amqp_pool_alloc(pool, count) else {
            throw AMQPError(.outOfResources, "no memory", operation: "encoding")
        }
        return memory
    }
}

/// The letters that mark a value's type on the wire, in RabbitMQ's dialect.
enum FieldKind {
    static let bool = UInt8(ascii: "t")
    static let int8 = UInt8(ascii: "b")
    static let uint8 = UInt8(ascii: "B")
    static let int16 = UInt8(ascii: "s")
    static let uint16 = UInt8(ascii: "u")
    static let int32 = UInt8(ascii: "I")
    static let uint32 = UInt8(ascii: "i")
    static let int64 = UInt8(ascii: "l")
    static let uint64 = UInt8(ascii: "L")
    static let float = UInt8(ascii: "f")
    static let double = UInt8(ascii: "d")
    static let decimal = UInt8(ascii: "D")
    static let string = UInt8(ascii: "S")
    static let bytes = UInt8(ascii: "x")
    static let timestamp = UInt8(ascii: "T")
    static let array = UInt8(ascii: "A")
    static let table = UInt8(ascii: "F")
    static let null = UInt8(ascii: "V")
}
