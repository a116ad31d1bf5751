public import SparqWire

/// What a call on a ``SparqClient`` can end with instead of an answer. Never holds tokens or message texts.
public struct ClientError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is; kinds can be added.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case refused, deadline, tooLarge, tooManyUnanswered, gaveUp, unauthenticated, closed, cancelled, invalidURL, encoding, decoding
            case untrusted, invalidTLS
        }
        private let kind: Kind

        /// The server answered with an error; ``ClientError/reason`` says which.
        public static let refused = Code(kind: .refused)
        /// No answer came before the caller's deadline. The message may have taken effect, or may do so yet.
        public static let deadline = Code(kind: .deadline)
        /// The message is over the server's limit.
        public static let tooLarge = Code(kind: .tooLarge)
        /// More messages wait for an answer than the configuration allows.
        public static let tooManyUnanswered = Code(kind: .tooManyUnanswered)
        /// The server closed with a code after which a client must not come back; ``ClientError/closeCode`` says which.
        public static let gaveUp = Code(kind: .gaveUp)
        /// The session is missing, expired or ended: log in again.
        public static let unauthenticated = Code(kind: .unauthenticated)
        /// The client was closed by its owner.
        public static let closed = Code(kind: .closed)
        /// The caller's task was cancelled. The message may have taken effect, or may do so yet.
        public static let cancelled = Code(kind: .cancelled)
        /// No URL, or one that is not of the form `ws://host:port/path` or `wss://host:port/path`.
        public static let invalidURL = Code(kind: .invalidURL)
        /// The fields of a message do not encode to a JSON object.
        public static let encoding = Code(kind: .encoding)
        /// The bytes from the server are not what was to be decoded.
        public static let decoding = Code(kind: .decoding)
        /// The server's certificate is for another name, or comes from no authority that the client trusts. The client does not try again.
        public static let untrusted = Code(kind: .untrusted)
        /// The TLS configuration cannot be used, such as one with a file that cannot be read.
        public static let invalidTLS = Code(kind: .invalidTLS)

        /// The kind's name.
        public var description: String { kind.rawValue }
    }

    /// What kind of failure it is.
    public let code: Code
    /// The stable code of the server's error reply, for ``Code/refused``.
    public let reason: ErrorCode?
    /// The code that the server closed with (RFC 6455, section 7.4), where it did.
    public let closeCode: Int?
    /// A sentence for people.
    public let message: String

    init(_ code: Code, reason: ErrorCode? = nil, closeCode: Int? = nil, _ message: String) {
        self.code = code
        self.reason = reason
        self.closeCode = closeCode
        self.message = message
    }

    /// Kind, reason and sentence.
    public var description: String {
        var text = code.description
        if let reason { text += " (\(reason))" }
        if let closeCode { text += " (close code \(closeCode))" }
        return "\(text): \(message)"
    }
}
