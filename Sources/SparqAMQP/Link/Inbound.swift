/// What the broker says, decoded and copied out of the C library's memory.
enum Inbound {
    case delivery(Received)
    case returned(Received, replyCode: UInt16, text: String)
    case got(Received, remaining: UInt32)
    case confirmed(UInt64, multiple: Bool)
    case refused(UInt64, multiple: Bool)
    case blocked(reason: String)
    case unblocked
    case consumerCancelled(tag: String)
    /// The channel is gone; `channel.close-ok` was sent.
    case channelClosed(AMQPError)
    case reply(Reply)

    /// What follows from it are requests whose answers are waited for.
    var needsAnswers: Bool {
        switch self {
        case .consumerCancelled, .channelClosed: true
        case .delivery, .returned, .got, .confirmed, .refused, .blocked, .unblocked, .reply: false
        }
    }

    /// A message with its address. `tag` is 0 for returned ones.
    struct Received {
        var tag: UInt64
        var redelivered: Bool
        var exchange: String
        var routingKey: String
        var message: AMQPMessage
    }

    /// The answer to a request. The counts are zero where the method has none.
    struct Reply {
        var method: MethodID
        var name = ""
        var messageCount: UInt32 = 0
        var consumerCount: UInt32 = 0
    }
}
