import SparqStore
import SparqWire

/// Rows of a node that were removed from the directory: all that it had, because its lease ran out, or because they were not what it said.
/// A value without I/O.
struct Loss: Equatable, Sendable {
    /// The database's number of it: a node can be lost more than once.
    let number: Int
    let node: String
    /// Whose presence may have changed by it.
    let users: [String]

    /// What its handler's effects are effects of.
    var envelope: Envelope { Envelope(lostNode: node, number: number) }

    /// As which the inbox notes it. No user's name begins with the control character.
    var key: MessageKey { MessageKey(user: "\u{1}\(node)", id: "\(envelope.type) \(number)") }
}

extension Loss {
    init(_ row: LossStore.Row) { self.init(number: row.number, node: row.node, users: row.users) }
}
