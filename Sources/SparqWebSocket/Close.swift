/// The end of a connection as the peer or this side put it.
public struct Close: Equatable, Sendable {
    /// The reason as a number; ``CloseCode/noStatus`` where the peer gave none.
    public var code: CloseCode
    /// The reason in words, at most 123 bytes of UTF-8; often empty.
    public var reason: String

    /// A code and words for it.
    public init(_ code: CloseCode, reason: String = "") {
        self.code = code
        self.reason = reason
    }
}
