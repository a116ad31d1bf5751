/// Why a front cannot run.
public struct FrontError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of failure; more may be added.
    public struct Code: Sendable, Equatable, CustomStringConvertible {
        private enum Kind: String { case invalidSetting }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// A setting makes no sense.
        public static let invalidSetting = Code(.invalidSetting)
        /// The name of the code; stable.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, for people. Holds no secrets.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// One line for logs.
    public var description: String { "\(code): \(message)" }
}
