internal import CRabbitMQ

extension Link {
    /// The header by which a returned message is recognised: `basic.return` itself says nothing about which publish it belongs to.
    static let sequenceHeader = "x-publish-sequence"

    /// `confirm.select`
    func selectConfirms() throws(AMQPError) {
        var method = amqp_confirm_select_t()
        _ = try call(.confirmSelect, &method, expecting: .confirmSelectOK, operation: "confirm.select")
    }

    /// Writes one message, which must be valid. Blocks where the socket takes no more, until the broker reads or the socket is cut: by the
    /// kernel after three heartbeats, or before by a ``Watchdog``.
    /// - Parameter sequence: makes it mandatory, and is sent along as ``sequenceHeader``.
    func publish(_ message: AMQPMessage, exchange: String, routingKey: String, mandatory sequence: UInt64?) throws(AMQPError) {
        defer { arena.reset() }
        var properties = amqp_basic_properties_t()
        try encode(message, sequence: sequence, into: &properties)
        let exchange = try arena.bytes(exchange)
        let routingKey = try arena.bytes(routingKey)
        try Self.check("basic.publish") {
            message.body.withUnsafeBytes { body in
                amqp_basic_publish(
                    state,
                    Link.channel,
                    exchange,
                    routingKey,
                    sequence == nil ? 0 : 1,
                    0,
                    &properties,
                    amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress))
                )
            }
        }
    }

    /// Gathers what is written until ``uncork()`` into full segments.
    func cork() { crabbitmq_cork(socket.descriptor, 1) }
    /// Sends the rest.
    func uncork() { crabbitmq_cork(socket.descriptor, 0) }

    private func encode(_ message: AMQPMessage, sequence: UInt64?, into properties: inout amqp_basic_properties_t) throws(AMQPError) {
        var flags = PropertyFlag.deliveryMode.rawValue
        properties.delivery_mode = message.persistent ? 2 : 1
        if let sequence {
            var headers = message.headers
            headers[Self.sequenceHeader] = .int64(Int64(bitPattern: sequence))
            properties.headers = try arena.table(headers)
            flags |= PropertyFlag.headers.rawValue
        } else if !message.headers.isEmpty {
            properties.headers = try arena.table(message.headers)
            flags |= PropertyFlag.headers.rawValue
        }
        func set(_ text: String?, _ flag: PropertyFlag, _ field: inout amqp_bytes_t) throws(AMQPError) {
            guard let text else { return }
            field = try arena.bytes(text)
            flags |= flag.rawValue
        }
        try set(message.contentType, .contentType, &properties.content_type)
        try set(message.contentEncoding, .contentEncoding, &properties.content_encoding)
        try set(message.correlationID, .correlationID, &properties.correlation_id)
        try set(message.replyTo, .replyTo, &properties.reply_to)
        try set(message.expiration, .expiration, &properties.expiration)
        try set(message.messageID, .messageID, &properties.message_id)
        try set(message.type, .type, &properties.type)
        try set(message.userID, .userID, &properties.user_id)
        try set(message.appID, .appID, &properties.app_id)
        if let priority = message.priority {
            properties.priority = priority
            flags |= PropertyFlag.priority.rawValue
        }
        if let timestamp = message.timestamp {
            properties.timestamp = timestamp
            flags |= PropertyFlag.timestamp.rawValue
        }
        properties._flags = flags
    }
}
