internal import CRabbitMQ

extension Link {
    /// Declares everything, in order. On the open channel; the first refusal closes it.
    func declare(_ topology: Topology) throws(AMQPError) {
        for exchange in topology.exchanges { try declare(exchange) }
        for queue in topology.queues { _ = try declare(queue) }
        for binding in topology.bindings { try bind(binding) }
    }

    /// Declares everything once more, without waiting for a word: where the broker refuses something it closes the channel. What is there
    /// already costs it a look.
    func refresh(_ topology: Topology) throws(AMQPError) {
        for exchange in topology.exchanges { try declare(exchange, awaited: false) }
        for queue in topology.queues { _ = try declare(queue, awaited: false) }
        for binding in topology.bindings { try bind(binding, awaited: false) }
    }

    func declare(_ exchange: Exchange, awaited: Bool = true) throws(AMQPError) {
        defer { arena.reset() }
        var method = amqp_exchange_declare_t()
        method.exchange = try short(exchange.name, "exchange")
        method.type = try short(exchange.kind.name, "exchange kind")
        method.durable = exchange.durable ? 1 : 0
        method.auto_delete = exchange.autoDelete ? 1 : 0
        method.internal = exchange.isInternal ? 1 : 0
        method.arguments = try arena.table(exchange.arguments)
        method.nowait = awaited ? 0 : 1
        let operation = "exchange.declare \(exchange.name)"
        _ = try request(.exchangeDeclare, &method, expecting: .exchangeDeclareOK, operation: operation, awaited: awaited)
    }

    func declare(_ queue: Queue, awaited: Bool = true) throws(AMQPError) -> Inbound.Reply {
        defer { arena.reset() }
        var method = amqp_queue_declare_t()
        method.queue = try short(queue.name, "queue")
        method.passive = queue.isPassive ? 1 : 0
        method.durable = queue.durable ? 1 : 0
        method.exclusive = queue.exclusive ? 1 : 0
        method.auto_delete = queue.autoDelete ? 1 : 0
        method.arguments = try arena.table(queue.arguments)
        method.nowait = awaited ? 0 : 1
        let operation = "queue.declare \(queue.name)"
        return try request(.queueDeclare, &method, expecting: .queueDeclareOK, operation: operation, awaited: awaited)
    }

    func bind(_ binding: Binding, awaited: Bool = true) throws(AMQPError) {
        defer { arena.reset() }
        switch binding.destination {
        case .queue(let name):
            var method = amqp_queue_bind_t()
            method.queue = try short(name, "queue")
            method.exchange = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            method.nowait = awaited ? 0 : 1
            let operation = "queue.bind \(binding.source) to \(name)"
            _ = try request(.queueBind, &method, expecting: .queueBindOK, operation: operation, awaited: awaited)
        case .exchange(let name):
            var method = amqp_exchange_bind_t()
            method.destination = try short(name, "exchange")
            method.source = try short(binding.source, "exchange")
            method.routing_key = try short(binding.routingKey, "routing key")
            method.arguments = try arena.table(binding.arguments)
            method.nowait = awaited ? 0 : 1
            let operation = "exchange.bind \(binding.source) to \(name)"
            _ = try request(.exchangeBind, &method, expecting: .exchangeBindOK, operation: operation, awaited: awaited)
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

    private func request<Method>(
        _ id: MethodID,
        _ method: inout Method,
        expecting answer: MethodID,
        operation: String,
        awaited: Bool
    ) throws(AMQPError) -> Inbound.Reply {
        if awaited { return try call(id, &method, expecting: answer, operation: operation) }
        try send(id, &method)
        return Inbound.Reply(method: answer)
    }

    func short(_ text: String, _ name: String) throws(AMQPError) -> amqp_bytes_t {
        guard text.utf8.count <= 255 else {
            throw AMQPError(.invalidArgument, "\(name) is longer than 255 bytes", operation: "encoding")
        }
        return try arena.bytes(text)
    }
}
