/// A page of a topic's log for one connection that is behind the live stream. The answer is a ``Page`` with that connection.
package struct ReadRequest: SystemMessage, Equatable {
    package static var type: String { SystemType.read }

    /// The topic.
    package var topic: String
    /// The last `seq` that the connection has.
    package var after: Int
    /// Who is behind.
    package var connection: String

    /// A request of its parts.
    package init(topic: String, after: Int, connection: String) {
        self.topic = topic
        self.after = after
        self.connection = connection
    }
}

extension ReadRequest {
    package func encodeMembers(into writer: inout JSONWriter) {
        writer.raw(",\"topic\":")
        writer.string(topic)
        writer.raw(",\"after\":")
        writer.integer(after)
        writer.raw(",\"connection\":")
        writer.string(connection)
    }
}
