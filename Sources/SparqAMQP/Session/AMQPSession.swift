/// Single requests to the broker, one after the other, for operators' tools and tests. No recovery: when the connection breaks, every
/// request throws, and a new session is needed; on a silent one after two to three heartbeats at most. A request that the broker refuses does no harm to the next.
public final class AMQPSession: Sendable {
    private let thread = SessionThread()

    /// Connects and logs in. Tries every host of the configuration once.
    ///
    /// - Throws: `connectFailed`, `tlsFailed`, `accessRefused` (reply code 403), `connectionClosed` (530 for an unknown virtual host).
    public init(_ configuration: AMQPConfiguration) async throws(AMQPError) {
        try thread.start(configuration)
        _ = try await perform { workplace throws(AMQPError) in _ = try workplace.ready() }
    }

    deinit { thread.close() }

    /// Closes the connection when the requests under way are done.
    public func close() { thread.close() }

    /// `exchange.declare`
    public func declare(_ exchange: Exchange) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in try place.ready().declare(exchange) }
    }

    /// `queue.declare`
    @discardableResult
    public func declare(_ queue: Queue) async throws(AMQPError) -> QueueInfo {
        try await perform { place throws(AMQPError) in QueueInfo(try place.ready().declare(queue)) }
    }

    /// Everything of a topology, in order.
    public func declare(_ topology: Topology) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in try place.ready().declare(topology) }
    }

    /// Passive `queue.declare`: asks about a queue without making it.
    /// - Throws: `channelClosed` with reply code 404 if there is none.
    public func inspect(queue: String) async throws(AMQPError) -> QueueInfo {
        try await perform { place throws(AMQPError) in QueueInfo(try place.ready().declare(Queue(queue, isPassive: true))) }
    }

    /// `queue.delete`; returns how many messages went with it. Deleting what is not there is no error.
    @discardableResult
    public func deleteQueue(_ name: String, ifUnused: Bool = false, ifEmpty: Bool = false) async throws(AMQPError) -> Int {
        try await perform { place throws(AMQPError) in
            Int(try place.ready().deleteQueue(name, ifUnused: ifUnused, ifEmpty: ifEmpty).messageCount)
        }
    }

    /// `exchange.delete`. Deleting what is not there is no error.
    public func deleteExchange(_ name: String, ifUnused: Bool = false) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in try place.ready().deleteExchange(name, ifUnused: ifUnused) }
    }

    /// `queue.purge`: drops the messages that are ready; returns how many.
    @discardableResult
    public func purge(queue: String) async throws(AMQPError) -> Int {
        try await perform { place throws(AMQPError) in Int(try place.ready().purge(queue).messageCount) }
    }

    /// `queue.bind` or `exchange.bind`
    public func bind(_ binding: Binding) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in try place.ready().bind(binding) }
    }

    /// `queue.unbind` or `exchange.unbind`
    public func unbind(_ binding: Binding) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in try place.ready().unbind(binding) }
    }

    /// `basic.get`: one message, to be settled with its tag; nil if the queue has none ready.
    public func get(queue: String) async throws(AMQPError) -> Delivery? {
        try await perform { place throws(AMQPError) in
            guard let (received, _) = try place.ready().get(queue: queue) else { return nil }
            return Delivery(
                tag: DeliveryTag(epoch: place.epoch, number: received.tag),
                message: received.message,
                exchange: received.exchange,
                routingKey: received.routingKey,
                redelivered: received.redelivered
            )
        }
    }

    /// `basic.ack`. A refused request meanwhile has put the message back; then this throws `channelClosed`.
    public func ack(_ tag: DeliveryTag) async throws(AMQPError) {
        try await settle(tag, .ack)
    }

    /// `basic.reject`. As ``ack(_:)``.
    public func reject(_ tag: DeliveryTag, requeue: Bool) async throws(AMQPError) {
        try await settle(tag, .reject(requeue: requeue))
    }

    /// Publishes one message and waits for the broker's word about it, up to the configured `rpcTimeout`.
    public func publish(
        _ message: AMQPMessage,
        exchange: String,
        routingKey: String,
        mandatory: Bool = false
    ) async throws(AMQPError) -> PublishOutcome {
        try message.validate(exchange: exchange, routingKey: routingKey)
        return try await perform { place throws(AMQPError) in
            let link = try place.ready()
            if !place.confirms {
                try link.selectConfirms()
                place.confirms = true
            }
            place.publishes += 1
            try link.publish(message, exchange: exchange, routingKey: routingKey, mandatory: mandatory ? place.publishes : nil)
            var outcome = PublishOutcome.confirmed
            let isTaken = try link.wait("basic.publish") { event -> Bool? in
                switch event {
                case .returned(_, let replyCode, let text):
                    outcome = .returned(replyCode: replyCode, text: text)
                    return nil
                case .confirmed: return true
                case .refused: return false
                default: return nil
                }
            }
            guard isTaken else { throw AMQPError(.nacked, "the broker did not take the message", operation: "basic.publish") }
            return outcome
        }
    }

    private func settle(_ tag: DeliveryTag, _ kind: AckLedger.Kind) async throws(AMQPError) {
        try await perform { place throws(AMQPError) in
            let link = try place.ready()
            guard tag.epoch == place.epoch else {
                throw AMQPError(.channelClosed, "the message was put back since", operation: "settling")
            }
            try link.settle(AckLedger.Settlement(kind: kind, tag: tag.number, multiple: false))
        }
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (SessionThread.Workplace) throws(AMQPError) -> Value
    ) async throws(AMQPError) -> Value {
        let result: Result<Value, AMQPError> = await withCheckedContinuation { continuation in
            let isOpen = thread.enqueue { [watchdog = thread.watchdog] place in
                let result: Result<Value, AMQPError>
                do throws(AMQPError) {
                    result = .success(try body(place))
                } catch {
                    // After anything but a refusal, nobody knows what the next answer would belong to.
                    var error = error
                    if error.code != .channelClosed && error.code != .invalidArgument && error.code != .nacked {
                        error = watchdog.leave(after: error)
                        place.link = .failure(error)
                    }
                    result = .failure(error)
                }
                continuation.resume(returning: result)
            }
            if !isOpen {
                continuation.resume(returning: .failure(AMQPError(.closed, "the session is closed", operation: "session")))
            }
        }
        return try result.get()
    }
}

/// What the broker says about a queue.
public struct QueueInfo: Sendable, Hashable {
    /// Its name; the broker's choice where an empty one was declared.
    public let name: String
    /// Messages that are ready, without those that consumers hold unsettled.
    public let messageCount: Int
    /// Consumers at the moment.
    public let consumerCount: Int

    init(_ reply: Inbound.Reply) {
        name = reply.name
        messageCount = Int(reply.messageCount)
        consumerCount = Int(reply.consumerCount)
    }
}
