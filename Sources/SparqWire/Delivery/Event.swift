/// Something that a server pushes to the subscribers of a topic.
public struct Event: Equatable, Sendable {
    /// The topic.
    public var topic: String
    /// Its number in the topic: 1, 2, 3… without gaps; `nil` for an ephemeral one, which is dropped rather than queued.
    public var seq: Int?
    /// The JSON text that clients get, as it is.
    public var body: ArraySlice<UInt8>

    /// An event of its parts.
    public init(topic: String, seq: Int?, body: ArraySlice<UInt8>) {
        self.topic = topic
        self.seq = seq
        self.body = body
    }
}
