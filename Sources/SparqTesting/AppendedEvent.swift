public import Sparq

/// An event to a topic.
public struct AppendedEvent: Hashable, Sendable {
    /// Where it goes.
    public var topic: Topic
    /// Its type.
    public var type: String
    /// The JSON text of its data.
    public var data: String

    /// An event of its parts.
    public init(topic: Topic, type: String, data: String) {
        self.topic = topic
        self.type = type
        self.data = data
    }

    init(topic: Topic, event: any EventData) throws {
        self.init(topic: topic, type: Swift.type(of: event).eventType, data: String(decoding: try DataEncoder.encode(event), as: UTF8.self))
    }
}
