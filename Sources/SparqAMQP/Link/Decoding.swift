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
        case FieldKind.bool: .bool(field.value.boolean != 0)
        case FieldKind.int8: .int64(Int64(field.value.i8))
        case FieldKind.uint8: .int64(Int64(field.value.u8))
        case FieldKind.int16: .int64(Int64(field.value.i16))
        case FieldKind.uint16: .int64(Int64(field.value.u16))
        case FieldKind.int32: .int64(Int64(field.value.i32))
        case FieldKind.uint32: .int64(Int64(field.value.u32))
        case FieldKind.int64: .int64(field.value.i64)
        case FieldKind.uint64: .uint64(field.value.u64)
        case FieldKind.float: .double(Double(field.value.f32))
        case FieldKind.double: .double(field.value.f64)
        case FieldKind.decimal: .decimal(scale: field.value.decimal.decimals, unscaled: field.value.decimal.value)
        case FieldKind.string: string(field.value.bytes)
        case FieldKind.bytes: .bytes(array(field.value.bytes))
        case FieldKind.timestamp: .timestamp(field.value.u64)
        case FieldKind.array:
            .array((0..<Int(field.value.array.num_entries)).map { value(field.value.array.entries[$0]) })
        case FieldKind.table: .table(table(field.value.table))
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
