/// A topic that a connection may subscribe to, as the worker found it.
public struct Grant: Equatable, Sendable, Codable {
    /// The topic.
    public var topic: String
    /// Deliver what comes after this `seq`.
    public var cursor: Int
    /// The topic's last `seq` when the worker looked: `cursor` or above.
    public var head: Int

    /// A grant of its parts.
    public init(topic: String, cursor: Int, head: Int) {
        self.topic = topic
        self.cursor = cursor
        self.head = head
    }
}
