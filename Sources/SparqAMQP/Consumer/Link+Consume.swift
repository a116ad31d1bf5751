internal import CRabbitMQ

extension Link {
    /// `basic.qos`, per consumer (RabbitMQ, "Consumer Prefetch").
    func setPrefetch(_ count: UInt16) throws(AMQPError) {
        var method = amqp_basic_qos_t()
        method.prefetch_count = count
        _ = try call(.basicQos, &method, expecting: .basicQosOK, operation: "basic.qos")
    }

    func consume(queue: String, consumerTag: String, exclusive: Bool) throws(AMQPError) {
        defer { arena.reset() }
        var method = amqp_basic_consume_t()
        method.queue = try short(queue, "queue")
        method.consumer_tag = try short(consumerTag, "consumer tag")
        method.exclusive = exclusive ? 1 : 0
        _ = try call(.basicConsume, &method, expecting: .basicConsumeOK, operation: "basic.consume \(queue)")
    }

    /// Sends `basic.cancel`; the answer arrives as a reply.
    func sendCancel(consumerTag: String) throws(AMQPError) {
        defer { arena.reset() }
        var method = amqp_basic_cancel_t()
        method.consumer_tag = try short(consumerTag, "consumer tag")
        try send(.basicCancel, &method)
    }

    func settle(_ settlement: AckLedger.Settlement) throws(AMQPError) {
        let (tag, channel) = (settlement.tag, Link.channel)
        try Self.check("settling") {
            switch settlement.kind {
            case .ack: amqp_basic_ack(state, channel, tag, settlement.multiple ? 1 : 0)
            case .nack(let requeue): amqp_basic_nack(state, channel, tag, settlement.multiple ? 1 : 0, requeue ? 1 : 0)
            case .reject(let requeue): amqp_basic_reject(state, channel, tag, requeue ? 1 : 0)
            }
        }
    }

    /// `basic.get`; nil if the queue is empty.
    func get(queue: String) throws(AMQPError) -> (Inbound.Received, remaining: UInt32)? {
        defer { arena.reset() }
        var method = amqp_basic_get_t()
        method.queue = try short(queue, "queue")
        try send(.basicGet, &method)
        let answer: (Inbound.Received, remaining: UInt32)?? = try wait("basic.get \(queue)") { event in
            switch event {
            case .got(let received, let remaining): .some((received, remaining: remaining))
            case .reply(let reply) where reply.method == .basicGetEmpty: .some(nil)
            default: nil
            }
        }
        return answer ?? nil
    }
}
