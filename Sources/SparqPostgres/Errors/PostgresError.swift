/// What went wrong between this process and PostgreSQL.
///
/// ``description`` can be logged: it holds no parameter values and no passwords. The server's ``detail``, and its ``message`` for
/// errors about data, quote values; only `String(reflecting:)` shows them.
public struct PostgresError: Error, Sendable {
    /// The kind of failure.
    public let code: Code
    /// A sentence; for ``Code/server`` the server's primary message.
    public internal(set) var message: String
    /// The five characters of the server's
    /// [error code](https://www.postgresql.org/docs/15/errcodes-appendix.html), where the server sent one.
    public internal(set) var sqlState: String?
    /// The server's DETAIL. May quote values.
    public internal(set) var detail: String?
    /// The server's HINT.
    public internal(set) var hint: String?
    /// The violated constraint.
    public internal(set) var constraint: String?
    /// The schema that the error is about.
    public internal(set) var schema: String?
    /// The table that the error is about.
    public internal(set) var table: String?
    /// The column that the error is about; for decoding errors the result's column.
    public internal(set) var column: String?
    /// Where in the SQL text, in characters from 1.
    public internal(set) var position: Int?
    /// The file, for errors of migrations.
    public internal(set) var file: String?
    /// The line in ``file``, from 1.
    public internal(set) var line: Int?
    /// The statement or commit may or may not have taken effect: the connection broke before the answer came.
    public internal(set) var isOutcomeUnknown = false

    /// A value is too large for an index.
    var isTooLargeForIndex = false
    /// No connection became free, though the database can be reached: others have them all.
    var isCrowded = false
    /// Nothing had been sent when the connection was found broken.
    var isUnsent = false
    /// The server's plan for a prepared statement no longer fits the schema; nothing ran.
    var isStalePlan = false

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension PostgresError {
    /// Kinds of failure; more may come.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Base: String, Sendable {
            case server, connectionLost, connectionFailed, poolTimeout, poolClosed, timeout, encoding, decoding
            case transactionAborted, pipelineAborted, misuse, unsupported, invalidConfiguration, migration
        }

        private let base: Base

        private init(_ base: Base) { self.base = base }

        /// The server refused a statement; ``PostgresError/sqlState`` says why.
        public static let server = Code(.server)
        /// The connection broke, or was closed by the server. See ``PostgresError/isOutcomeUnknown``.
        public static let connectionLost = Code(.connectionLost)
        /// No connection could be made.
        public static let connectionFailed = Code(.connectionFailed)
        /// No connection became free in time.
        public static let poolTimeout = Code(.poolTimeout)
        /// The pool is shutting down.
        public static let poolClosed = Code(.poolClosed)
        /// The server fell silent: for longer than the statement timeout, or though its session had nothing left to do. The connection was given up.
        public static let timeout = Code(.timeout)
        /// A parameter cannot be sent.
        public static let encoding = Code(.encoding)
        /// A result's value does not have the type asked for.
        public static let decoding = Code(.decoding)
        /// A statement of the transaction had failed, so its commit was a rollback.
        public static let transactionAborted = Code(.transactionAborted)
        /// Not run, because a statement before it, in the same transaction, failed.
        public static let pipelineAborted = Code(.pipelineAborted)
        /// Used in a way that cannot work, such as a transaction after its end.
        public static let misuse = Code(.misuse)
        /// Something of PostgreSQL's that this module does not do, such as COPY.
        public static let unsupported = Code(.unsupported)
        /// The settings are malformed.
        public static let invalidConfiguration = Code(.invalidConfiguration)
        /// Migrations that cannot be applied as they are.
        public static let migration = Code(.migration)

        /// The case's name, short enough for a metric's label.
        public var description: String { base.rawValue }
    }
}
