/// What a front needs to know of a client's message; all else stays bytes.
public struct Frame: Equatable, Sendable {
    /// The `type`, which chooses the handler. 1 to 128 bytes, without control characters.
    public let type: String
    /// The client's own `id` of the message, if it gave one. 1 to 128 bytes, without control characters.
    public let id: String?

    /// A frame of its parts.
    public init(type: String, id: String?) {
        self.type = type
        self.id = id
    }
}
