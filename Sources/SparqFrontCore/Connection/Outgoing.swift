/// A message of a connection on its way to the workers; its `id` is beside it.
struct Outgoing {
    var type: String
    /// When it came: milliseconds since the Unix epoch.
    var receivedAt: Int
    var message: [UInt8]
    /// Topics that it asked for and that the front refused.
    var refused: [String] = []
    /// The front's own question for the client's topics: the client hears nothing of it.
    var isSilent = false
}
