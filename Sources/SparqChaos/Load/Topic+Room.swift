import SparqWire

extension Topic {
    /// The messenger's stream of one room.
    static func room(_ id: String) -> Topic { Topic(rawValue: "room:\(id)") }
}
