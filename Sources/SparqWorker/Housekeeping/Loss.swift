import SparqProtocol

/// A node that was removed because its lease ran out. A value without I/O.
struct Loss: Equatable, Sendable {
    /// The database's number of it: a node can be lost more than once.
    let number: Int
    let node: String

    /// What its handler's effects are effects of.
    var envelope: Envelope {
        Envelope(
            node: node,
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: 0,
            type: "$node-lost",
            id: nil,
            message: Array("{}".utf8)[...]
        )
    }

    /// As which the inbox notes it. No user's name begins with the control character.
    var key: MessageKey { MessageKey(user: "\u{1}\(node)", id: "\(envelope.type) \(number)") }
}
