internal import CRabbitMQ
internal import DequeModule
internal import Glibc

extension Link {
    /// The next thing that the broker said, nil if there is nothing for now.
    func next() throws(AMQPError) -> Inbound? {
        if let event = deferred.popFirst() { return event }
        return try read()
    }

    /// As ``next()``, without what was put off.
    func read() throws(AMQPError) -> Inbound? {
        var frame = amqp_frame_t()
        var none = timeval()
        while true {
            errno = 0
            let status = amqp_simple_wait_frame_noblock(state, &frame, &none)
            if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
            guard status == AMQP_STATUS_OK.rawValue else { throw Self.failure(status, errno, operation: "receiving") }
            if let event = try decode(frame) { return event }
        }
    }

    private func decode(_ frame: amqp_frame_t) throws(AMQPError) -> Inbound? {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_BODY:
            return try assembler.body(frame.payload.body_fragment)
        case AMQP_FRAME_HEADER:
            guard let decoded = frame.payload.properties.decoded else { return nil }
            let properties = decoded.assumingMemoryBound(to: amqp_basic_properties_t.self)
            return try assembler.header(properties.pointee, bodySize: frame.payload.properties.body_size)
        case AMQP_FRAME_METHOD:
            let method = frame.payload.method
            return try decode(MethodID(rawValue: method.id), method.decoded)
        default:
            return nil
        }
    }

    private func decode(_ id: MethodID, _ decoded: UnsafeMutableRawPointer?) throws(AMQPError) -> Inbound? {
        guard let decoded else { throw AMQPError(.protocolViolation, "method without arguments", operation: "receiving") }
        func method<T>(_ type: T.Type) -> T { decoded.assumingMemoryBound(to: type).pointee }
        switch id {
        case .basicDeliver:
            let deliver = method(amqp_basic_deliver_t.self)
            assembler.begin(
                .delivery,
                tag: deliver.delivery_tag,
                redelivered: deliver.redelivered != 0,
                exchange: deliver.exchange,
                routingKey: deliver.routing_key
            )
            return nil
        case .basicReturn:
            let returned = method(amqp_basic_return_t.self)
            let purpose = ContentAssembler.Purpose.returned(replyCode: returned.reply_code, text: Decoding.text(returned.reply_text))
            assembler.begin(purpose, tag: 0, redelivered: false, exchange: returned.exchange, routingKey: returned.routing_key)
            return nil
        case .basicGetOK:
            let got = method(amqp_basic_get_ok_t.self)
            assembler.begin(
                .got(remaining: got.message_count),
                tag: got.delivery_tag,
                redelivered: got.redelivered != 0,
                exchange: got.exchange,
                routingKey: got.routing_key
            )
            return nil
        case .basicAck:
            let ack = method(amqp_basic_ack_t.self)
            return .confirmed(ack.delivery_tag, multiple: ack.multiple != 0)
        case .basicNack:
            let nack = method(amqp_basic_nack_t.self)
            return .refused(nack.delivery_tag, multiple: nack.multiple != 0)
        case .basicCancel:
            return .consumerCancelled(tag: Decoding.text(method(amqp_basic_cancel_t.self).consumer_tag))
        case .connectionBlocked:
            return .blocked(reason: Decoding.text(method(amqp_connection_blocked_t.self).reason))
        case .connectionUnblocked:
            return .unblocked
        case .channelClose:
            let close = method(amqp_channel_close_t.self)
            var error = AMQPError(
                .channelClosed,
                Decoding.text(close.reply_text),
                operation: "channel",
                replyCode: close.reply_code
            )
            error.failedClassID = close.class_id
            error.failedMethodID = close.method_id
            channelWasClosed()
            var answer = amqp_channel_close_ok_t()
            try send(.channelCloseOK, &answer)
            return .channelClosed(error)
        case .connectionClose:
            let error = Self.connectionClosed(decoded, operation: "connection")
            var answer = amqp_connection_close_ok_t()
            try? send(.connectionCloseOK, &answer, channel: 0)
            throw error
        case .queueDeclareOK:
            let declared = method(amqp_queue_declare_ok_t.self)
            return .reply(
                Inbound.Reply(
                    method: id,
                    name: Decoding.text(declared.queue),
                    messageCount: declared.message_count,
                    consumerCount: declared.consumer_count
                )
            )
        case .queuePurgeOK:
            return .reply(Inbound.Reply(method: id, messageCount: method(amqp_queue_purge_ok_t.self).message_count))
        case .queueDeleteOK:
            return .reply(Inbound.Reply(method: id, messageCount: method(amqp_queue_delete_ok_t.self).message_count))
        default:
            return .reply(Inbound.Reply(method: id))
        }
    }
}
