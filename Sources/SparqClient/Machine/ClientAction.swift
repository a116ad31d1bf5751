/// What the machine wants done, in this order.
enum ClientAction: Equatable {
    /// Open a socket to the next front after so many milliseconds.
    case connect(after: Int)
    /// Send a text frame.
    case write([UInt8])
    /// Let go of the socket: with a close frame, or at once where `code` is `nil`. Nothing of it may be fed to the machine any more.
    case disconnect(code: Int?)
    /// A message is answered, or will not be.
    case complete(token: Int, Result<Reply, ClientError>)
    /// A subscription is answered, or will not be.
    case subscribed(token: Int, Result<[String: SubscriptionOutcome], ClientError>)
    /// Tell the owner.
    case deliver(ClientEvent)
    /// The end; `nil` where the owner wanted it.
    case finish(ClientError?)
}
