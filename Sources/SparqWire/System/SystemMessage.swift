/// What a front or a worker says by itself: the message of an envelope.
///
/// A new one is a struct in this folder with a `type` in ``SystemType``, the names and kinds of its fields, and what appends them.
package protocol SystemMessage: Decodable, Sendable {
    /// Its `type`, which begins with `$`.
    static var type: String { get }

    /// Appends the members behind the `type`, each with the comma before it.
    func encodeMembers(into writer: inout JSONWriter)
}

extension SystemMessage {
    /// Appends the text.
    package func encode(into writer: inout JSONWriter) {
        writer.raw("{\"type\":")
        writer.string(Self.type)
        encodeMembers(into: &writer)
        writer.byte(UInt8(ascii: "}"))
    }

    /// The text.
    package var json: [UInt8] {
        var writer = JSONWriter(reservingCapacity: 256)
        encode(into: &writer)
        return writer.bytes
    }
}

extension Envelope {
    /// A message that is of no connection.
    ///
    /// - Parameter time: Milliseconds since the Unix epoch.
    package init<Message: SystemMessage>(node: String, at time: Int, _ message: Message) {
        self.init(
            node: node,
            connection: nil,
            ordinal: 0,
            user: nil,
            receivedAt: time,
            type: Message.type,
            id: nil,
            message: message.json[...]
        )
    }

    /// What the effects of a node's loss are effects of. It does not travel.
    ///
    /// - Parameter number: The database's number of the loss, so that its instructions have an origin.
    package init(lostNode node: String, number: Int) {
        self.init(
            node: node,
            connection: nil,
            ordinal: number,
            user: nil,
            receivedAt: 0,
            type: SystemType.nodeLost,
            id: nil,
            message: Array("{}".utf8)[...]
        )
    }
}
