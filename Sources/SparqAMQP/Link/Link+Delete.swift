internal import CRabbitMQ

extension Link {
    func deleteQueue(_ name: String, ifUnused: Bool, ifEmpty: Bool) throws(AMQPError) -> Inbound.Reply {
        defer { arena.reset() }
        var method = amqp_queue_delete_t()
        method.queue = try short(name, "queue")
        method.if_unused = ifUnused ? 1 : 0
        method.if_empty = ifEmpty ? 1 : 0
        return try call(.queueDelete, &method, expecting: .queueDeleteOK, operation: "queue.delete \(name)")
    }

    func deleteExchange(_ name: String, ifUnused: Bool) throws(AMQPError) {
        defer { arena.reset() }
        var method = amqp_exchange_delete_t()
        method.exchange = try short(name, "exchange")
        method.if_unused = ifUnused ? 1 : 0
        _ = try call(.exchangeDelete, &method, expecting: .exchangeDeleteOK, operation: "exchange.delete \(name)")
    }

    func purge(_ name: String) throws(AMQPError) -> Inbound.Reply {
        defer { arena.reset() }
        var method = amqp_queue_purge_t()
        method.queue = try short(name, "queue")
        return try call(.queuePurge, &method, expecting: .queuePurgeOK, operation: "queue.purge \(name)")
    }
}
