import SparqWire

extension Topic {
    /// A kind of topic that an application has.
    static func room(_ id: String) -> Topic { Topic(rawValue: "room:\(id)") }
}
