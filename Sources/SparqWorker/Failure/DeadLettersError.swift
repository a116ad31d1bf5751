/// The queue of dead letters cannot be used as asked.
public struct DeadLettersError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kind of failure. New kinds may be added.
    public struct Code: Sendable, Hashable {
        private enum Kind { case noQueue, notFound }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// No worker has declared the queue on this broker.
        public static let noQueue = Code(.noQueue)
        /// None of the letters that were looked at is the one.
        public static let notFound = Code(.notFound)
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for people.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
