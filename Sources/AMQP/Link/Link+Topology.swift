internal import CRabbitMQ

extension Link {
    /// Declares everything, in order. On the open channel; the first refusal closes it.
    func declare(_ topology: Topology) throws(AMQPError) {
        for exchange in topology.exchanges { try declare(exchange) }
        for queue in topology.queues { _ = try declare(queue) }
        for binding in topology.bindings { try bind(binding) }
    }

    func declare(_ exchange: Exchange) throws(AMQPError) {
        defer { arena.reset() }
        var method = amqp_exchange_declare_t()
        method.exchange = try short(exchange.name, "exchange")
        method.type = try short(exchange.kind.name, "exchange kind")
        method.durable = exchange.durable ? 1 : 0
        method.auto_delete = exchange.autoDelete ? 1 : 0
        method.internal = exchange.isInternal ? 1 : 0
        method.arguments = try arena.table(exchange.arguments)
        _ = try call(.exchangeDeclare, &method, expecting: .exchangeDeclareOK, operation: "exchange.declare \(exchange.name)")
    }

    func declare(_ queue: Queue, passive: Bool = false) throws(AMQPError) -> Inbound.Reply {
        defer { arena.reset() }
        var method = amqp_queue_declare_t()
        method.queue = try short(queue.name, "queue")
        method.passive = passive ? 1 : 0
        method.durable = queue.durable ? 1 : 0
        method.exclusive = queue.exclusive ? 1 : 0
        method.auto_delete = queue.autoDelete ? 1 : 0
        method.arguments = try arena.table(queue.arguments)
        return try call(.queueDeclare, &method, expecting: .queueDeclareOK, operation: "queue.declare \(queue.name)")
    }

    func bind(_ binding: Binding) throws(AMQPError) {
        defer { arena.reset() }
        switch binding.destination {
        case .queue(let name):
            var method = amqp_queue_bind_t()
            method.queue = try short(name, "queue")
            method.exchange = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            _ = try call(.queueBind, &method, expecting: .queueBindOK, operation: "queue.bind \(binding.source) to \(name)")
        case .exchange(let name):
            var method = amqp_exchange_bind_t()
            method.destination = try short(name, "exchange")
            method.source = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            _ = try call(.exchangeBind, &method, expecting: .exchangeBindOK, operation: "exchange.bind \(binding.source) to \(name)")
        }
    }

    func unbind(_ binding: Binding) throws(AMQPError) {
        defer { arena.reset() }
        switch binding.destination {
        case .queue(let name):
            var method = amqp_queue_unbind_t()
            method.queue = try short(name, "queue")
            method.exchange = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            _ = try call(.queueUnbind, &method, expecting: .queueUnbindOK, operation: "queue.unbind \(binding.source) from \(name)")
        case .exchange(let name):
            var method = amqp_exchange_unbind_t()
            method.destination = try short(name, "exchange")
            method.source = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            _ = try call(
                .exchangeUnbind,
                &method,
                expecting: .exchangeUnbindOK,
                operation: "exchange.unbind \(binding.source) from \(name)"
            )
        }
    }

    func short(_ text: String, _ name: String) throws(AMQPError) -> amqp_bytes_t {
        guard text.utf8.count <= 255 else {
            throw AMQPError(.invalidArgument, "\(name) is longer than 255 bytes", operation: "encoding")
        }
        return try arena.bytes(text)
    }
}
