/// A page of a topic's log for one connection that is behind the live stream. The answer is a ``Page`` with that connection.
public struct ReadRequest: Codable, Equatable, Sendable {
    /// The topic.
    public var topic: String
    /// The last `seq` that the connection has.
    public var after: Int
    /// Who is behind.
    public var connection: String

    /// A request of its parts.
    public init(topic: String, after: Int, connection: String) {
        self.topic = topic
        self.after = after
        self.connection = connection
    }
}
