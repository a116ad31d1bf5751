/// A message of a connection on its way to the workers; its `id` is beside it.
package struct Outgoing: Sendable {
    package var type: String
    /// When it came: milliseconds since the Unix epoch.
    package var receivedAt: Int
    package var message: [UInt8]
    /// Topics that it asked for and that the front refused.
    package var refused: [String]
    /// The front's own question for the client's topics: the client hears nothing of it.
    package var isSilent: Bool

    package init(type: String, receivedAt: Int, message: [UInt8], refused: [String] = [], isSilent: Bool = false) {
        self.type = type
        self.receivedAt = receivedAt
        self.message = message
        self.refused = refused
        self.isSilent = isSilent
    }
}
