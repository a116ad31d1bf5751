/// The data of one kind of event that clients get: `{"type":…,"data":{…}}`.
public protocol EventData: Encodable & Sendable {
    /// The event's `type`, such as `room.message`.
    static var eventType: String { get }
}
