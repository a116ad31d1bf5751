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
