internal import CRabbitMQ

/// Copies of what lies in librabbitmq's memory, which is reused after every turn.
enum Decoding {
    static func text(_ bytes: amqp_bytes_t) -> String {
        guard bytes.len > 0, let start = bytes.bytes else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: start, count: bytes.len), as: UTF8.self)
    }

    static func table(_ table: amqp_table_t) -> [String: AMQPValue] {
        guard table.num_entries > 0, let entries = table.entries else { return [:] }
        var result: [String: AMQPValue] = [:]
        result.reserveCapacity(Int(table.num_entries))
        for index in 0..<Int(table.num_entries) {
            result[text(entries[index].key)] = value(entries[index].value)
        }
        return result
    }

    private static func value(_ field: amqp_field_value_t) -> AMQPValue {
        switch field.kind {
        case Kind.bool: .bool(field.value.boolean != 0)
        case Kind.int8: .int64(Int64(field.value.i8))
        case Kind.uint8: .int64(Int64(field.value.u8))
        case Kind.int16: .int64(Int64(field.value.i16))
        case Kind.uint16: .int64(Int64(field.value.u16))
        case Kind.int32: .int64(Int64(field.value.i32))
        case Kind.uint32: .int64(Int64(field.value.u32))
        case Kind.int64: .int64(field.value.i64)
        case Kind.uint64: .uint64(field.value.u64)
        case Kind.float: .double(Double(field.value.f32))
        case Kind.double: .double(field.value.f64)
        case Kind.decimal: .decimal(scale: field.value.decimal.decimals, unscaled: field.value.decimal.value)
        case Kind.string: string(field.value.bytes)
        case Kind.bytes: .bytes(array(field.value.bytes))
        case Kind.timestamp: .timestamp(field.value.u64)
        case Kind.array:
            .array((0..<Int(field.value.array.num_entries)).map { value(field.value.array.entries[$0]) })
        case Kind.table: .table(table(field.value.table))
        default: .null
        }
    }

    private static func string(_ bytes: amqp_bytes_t) -> AMQPValue {
        let raw = UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len)
        return String(validating: raw, as: UTF8.self).map(AMQPValue.string) ?? .bytes(Array(raw))
    }

    private static func array(_ bytes: amqp_bytes_t) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
    }
}
