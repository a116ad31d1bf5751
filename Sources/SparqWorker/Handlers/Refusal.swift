public import SparqWire

/// A handler's "no": the client gets an error reply, and nothing changes.
public struct Refusal: Error, Hashable, Sendable {
    /// For programs.
    public var code: ErrorCode
    /// One sentence for people.
    public var message: String

    /// A refusal of its parts.
    public init(_ code: ErrorCode, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension Refusal: CustomStringConvertible {
    /// Code and sentence.
    public var description: String { "\(code): \(message)" }
}
