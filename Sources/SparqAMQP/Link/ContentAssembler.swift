internal import CRabbitMQ

/// Puts a message together from its method, header and body frames (AMQP 0-9-1, 4.2.6). One per channel.
struct ContentAssembler {
    enum Purpose {
        case delivery
        case returned(replyCode: UInt16, text: String)
        case got(remaining: UInt32)
    }

    private enum State {
        case idle
        case header(Purpose, Inbound.Received)
        case body(Purpose, Inbound.Received, missing: Int)
    }

    private var state = State.idle
    private var exchanges = TextCache()
    private var routingKeys = TextCache()
    private var contentTypes = TextCache()
    private var types = TextCache()

    mutating func begin(_ purpose: Purpose, tag: UInt64, redelivered: Bool, exchange: amqp_bytes_t, routingKey: amqp_bytes_t) {
        let received = Inbound.Received(
            tag: tag,
            redelivered: redelivered,
            exchange: exchanges.text(exchange),
            routingKey: routingKeys.text(routingKey),
            message: AMQPMessage(body: [])
        )
        state = .header(purpose, received)
    }

    /// Forgets a message that was begun; its channel is gone.
    mutating func reset() { state = .idle }

    mutating func header(_ properties: amqp_basic_properties_t, bodySize: UInt64) throws(AMQPError) -> Inbound? {
        guard case .header(let purpose, var received) = state else { throw Self.outOfPlace("header") }
        state = .idle
        read(properties, into: &received.message)
        guard bodySize > 0 else { return Self.finished(purpose, received) }
        guard let size = Int(exactly: bodySize) else { throw Self.outOfPlace("header with an impossible size") }
        // The size is only claimed so far: beyond 16 MiB, memory is taken as the body arrives.
        received.message.body.reserveCapacity(min(size, 16 * 1024 * 1024))
        state = .body(purpose, received, missing: size)
        return nil
    }

    mutating func body(_ fragment: amqp_bytes_t) throws(AMQPError) -> Inbound? {
        guard case .body(let purpose, var received, let missing) = state, fragment.len <= missing else { throw Self.outOfPlace("body") }
        state = .idle
        received.message.body.append(contentsOf: UnsafeRawBufferPointer(start: fragment.bytes, count: fragment.len))
        guard fragment.len < missing else { return Self.finished(purpose, received) }
        state = .body(purpose, received, missing: missing - fragment.len)
        return nil
    }

    private static func finished(_ purpose: Purpose, _ received: Inbound.Received) -> Inbound {
        switch purpose {
        case .delivery: .delivery(received)
        case .returned(let replyCode, let text): .returned(received, replyCode: replyCode, text: text)
        case .got(let remaining): .got(received, remaining: remaining)
        }
    }

    private static func outOfPlace(_ frame: String) -> AMQPError {
        AMQPError(.protocolViolation, "\(frame) frame out of place", operation: "receiving")
    }

    private mutating func read(_ properties: amqp_basic_properties_t, into message: inout AMQPMessage) {
        let flags = properties._flags
        func has(_ flag: PropertyFlag) -> Bool { flags & flag.rawValue != 0 }
        message.persistent = has(.deliveryMode) && properties.delivery_mode == 2
        if has(.contentType) { message.contentType = contentTypes.text(properties.content_type) }
        if has(.type) { message.type = types.text(properties.type) }
        if has(.headers) { message.headers = Decoding.table(properties.headers) }
        if has(.messageID) { message.messageID = Decoding.text(properties.message_id) }
        if has(.contentEncoding) { message.contentEncoding = Decoding.text(properties.content_encoding) }
        if has(.priority) { message.priority = properties.priority }
        if has(.correlationID) { message.correlationID = Decoding.text(properties.correlation_id) }
        if has(.replyTo) { message.replyTo = Decoding.text(properties.reply_to) }
        if has(.expiration) { message.expiration = Decoding.text(properties.expiration) }
        if has(.timestamp) { message.timestamp = properties.timestamp }
        if has(.userID) { message.userID = Decoding.text(properties.user_id) }
        if has(.appID) { message.appID = Decoding.text(properties.app_id) }
    }
}

/// Which properties a content header holds (AMQP 0-9-1, 4.2.6.1: from the highest bit down, in the order of the class's fields).
enum PropertyFlag: UInt32 {
    case contentType = 0x8000
    case contentEncoding = 0x4000
    case headers = 0x2000
    case deliveryMode = 0x1000
    case priority = 0x0800
    case correlationID = 0x0400
    case replyTo = 0x0200
    case expiration = 0x0100
    case messageID = 0x0080
    case timestamp = 0x0040
    case type = 0x0020
    case userID = 0x0010
    case appID = 0x0008
}
