extension AMQPMessage {
    /// Throws `invalidArgument` if the message or its address cannot be put on the wire. Checked before anything is queued, because a
    /// message that fails in the middle of its frames takes the whole connection with it.
    func validate(exchange: String, routingKey: String) throws(AMQPError) {
        try Self.checkShort(exchange, "exchange")
        try Self.checkShort(routingKey, "routing key")
        try Self.checkShort(contentType, "contentType")
        try Self.checkShort(contentEncoding, "contentEncoding")
        try Self.checkShort(correlationID, "correlationID")
        try Self.checkShort(replyTo, "replyTo")
        try Self.checkShort(expiration, "expiration")
        try Self.checkShort(messageID, "messageID")
        try Self.checkShort(type, "type")
        try Self.checkShort(userID, "userID")
        try Self.checkShort(appID, "appID")
        guard !headers.isEmpty else { return }
        // Frames are negotiated down from 128 KiB; the other properties need at most 9 × 256 bytes.
        guard try Self.encodedSize(of: headers) <= 120 * 1024 else {
            throw AMQPError(.invalidArgument, "headers are larger than one frame", operation: "basic.publish")
        }
    }

    private static func checkShort(_ text: String?, _ name: String) throws(AMQPError) {
        guard let text, text.utf8.count > 255 else { return }
        throw AMQPError(.invalidArgument, "\(name) is longer than 255 bytes", operation: "basic.publish")
    }

    private static func encodedSize(of table: [String: AMQPValue]) throws(AMQPError) -> Int {
        var size = 4
        for (key, value) in table {
            // RabbitMQ and librabbitmq take up to 128 bytes for a field's name.
            guard key.utf8.count <= 128 else {
                throw AMQPError(.invalidArgument, "header name is longer than 128 bytes", operation: "basic.publish")
            }
            size += 1 + key.utf8.count
            size += try encodedSize(of: value)
        }
        return size
    }

    private static func encodedSize(of value: AMQPValue) throws(AMQPError) -> Int {
        switch value {
        case .null: return 1
        case .bool: return 2
        case .decimal: return 6
        case .int64, .uint64, .double, .timestamp: return 9
        case .string(let text): return 5 + text.utf8.count
        case .bytes(let bytes): return 5 + bytes.count
        case .table(let table): return 1 + (try encodedSize(of: table))
        case .array(let values):
            var size = 5
            for value in values { size += try encodedSize(of: value) }
            return size
        }
    }
}
