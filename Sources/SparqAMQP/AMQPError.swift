/// What went wrong between this process and the broker.
///
/// Never contains credentials. `description` is meant for logs; branch on ``code`` and, where the server spoke, on ``replyCode``.
public struct AMQPError: Error, Sendable, Hashable {
    /// The kind of failure. New kinds may be added: always handle the unknown ones.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case invalidURL, invalidArgument, connectFailed, tlsFailed, accessRefused, connectionLost, heartbeatTimeout
            case connectionClosed, channelClosed, timeout, nacked, cancelled, closed, consumerCancelled, protocolViolation
            case outOfResources
        }
        private let kind: Kind
        private init(_ kind: Kind) { self.kind = kind }

        /// The text is no usable AMQP URL.
        public static let invalidURL = Code(.invalidURL)
        /// An argument cannot be expressed in AMQP, for example a routing key above 255 bytes. Nothing was sent.
        public static let invalidArgument = Code(.invalidArgument)
        /// No TCP connection, or no AMQP handshake within the time limit.
        public static let connectFailed = Code(.connectFailed)
        /// The TLS handshake failed, or the certificate was not accepted.
        public static let tlsFailed = Code(.tlsFailed)
        /// The broker does not accept the credentials (reply code 403).
        public static let accessRefused = Code(.accessRefused)
        /// The connection broke without a word of the broker.
        public static let connectionLost = Code(.connectionLost)
        /// Nothing was heard from the broker for two to three heartbeats.
        public static let heartbeatTimeout = Code(.heartbeatTimeout)
        /// The broker sent `connection.close`.
        public static let connectionClosed = Code(.connectionClosed)
        /// The broker sent `channel.close`: the request that caused it was refused.
        public static let channelClosed = Code(.channelClosed)
        /// A time limit ran out.
        public static let timeout = Code(.timeout)
        /// The broker answered a publish with `basic.nack`: it did not take the message.
        public static let nacked = Code(.nacked)
        /// The waiting task was cancelled. A message that was being published may still arrive.
        public static let cancelled = Code(.cancelled)
        /// The publisher, consumer or session has ended, or is shutting down.
        public static let closed = Code(.closed)
        /// The broker cancelled the consumer (its queue was deleted, for example).
        public static let consumerCancelled = Code(.consumerCancelled)
        /// The broker sent what the protocol does not allow here.
        public static let protocolViolation = Code(.protocolViolation)
        /// The process has no memory, thread or file descriptor left.
        public static let outOfResources = Code(.outOfResources)

        /// The name of the code; stable, and safe as a metric's label.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public var code: Code
    /// What failed, for people.
    public var message: String
    /// What this module was doing, for example `queue.declare`.
    public var operation: String
    /// The server's reply code where the server spoke (AMQP 0-9-1, 1.2 "reply-code"), for example 403, 404, 406.
    public var replyCode: UInt16?
    /// The class of the AMQP method that the server blames, 0 if none.
    public var failedClassID: UInt16 = 0
    /// The AMQP method that the server blames, 0 if none.
    public var failedMethodID: UInt16 = 0

    /// An error, for tests of code that handles them.
    public init(_ code: Code, _ message: String, operation: String, replyCode: UInt16? = nil) {
        self.code = code
        self.message = message
        self.operation = operation
        self.replyCode = replyCode
    }

    /// Whether the broker refuses a message for what it is, above all for its size: it will never take it (406, in older versions 311).
    public var refusesMessage: Bool { code == .channelClosed && blamesPublish && (replyCode == 406 || replyCode == 311) }

    /// Whether the exchange of a publish is not there.
    var isMissingExchange: Bool { code == .channelClosed && replyCode == 404 && blamesPublish }

    /// Whether the server blames a `basic.publish` (class 60, method 40), or a frame that only a publish can have spoilt.
    var blamesPublish: Bool {
        if failedClassID == 60 && failedMethodID == 40 { return true }
        return code == .connectionClosed && [501, 502, 505].contains(replyCode)
    }
}

extension AMQPError: CustomStringConvertible {
    /// One line for logs.
    public var description: String {
        let reply = replyCode.map { " (reply code \($0))" } ?? ""
        return "\(code) in \(operation): \(message)\(reply)"
    }
}
