extension PostgresError {
    /// Where the cause of an error lies, and so who can end it. This is the one place that knows PostgreSQL's error codes by their classes.
    public enum Cause: Sendable, Hashable {
        /// Two transactions were in each other's way: the same one, run again, can succeed at once.
        case conflict
        /// All connections of the pool are in use. Nothing is wrong with the database.
        case crowd
        /// The server, its disk, its memory, or the way to it. It passes, by itself or by an operator's hand.
        case outage
        /// A statement took too long, or a transaction stood still: others' locks, load, or what was asked itself.
        case slowness
        /// The server fails inside (class XX). It may pass; it may also be about certain rows, and stay.
        case defect
        /// Tables, functions, types or privileges are not as the statement expects: the operator's mistake, or the statement's.
        case schema
        /// Values that cannot be stored or sent, or a rule that says no to them.
        case data
        /// Whoever called used this module in a way that cannot work.
        case usage
        /// The pool is shutting down.
        case shutdown
    }

    /// Where the cause lies. In doubt, where it may pass.
    public var cause: Cause {
        switch code {
        case .poolClosed: return .shutdown
        case .encoding: return .data
        case .decoding, .transactionAborted, .pipelineAborted, .misuse, .unsupported, .invalidConfiguration, .migration: return .usage
        default: break
        }
        if isCrowded { return .crowd }
        if isTooLargeForIndex { return .data }
        if isRetryable { return .conflict }
        if let sqlState, let cause = Self.cause(ofState: sqlState) { return cause }
        return code == .server ? Self.cause(ofClass: sqlState?.prefix(2) ?? "") : .outage
    }

    /// Nothing is wrong with what was asked, as far as one can tell: the same, tried again, may succeed.
    public var mayPass: Bool {
        switch cause {
        case .conflict, .crowd, .outage, .slowness, .defect: true
        case .schema, .data, .usage, .shutdown: false
        }
    }

    /// What was asked for is not there, not allowed, or not ready. An operator can have taken it away, and can bring it back.
    public var isMissing: Bool { awaitsOperator || (code == .server && sqlState == "55000") }

    /// What was asked for is not there, or not allowed, and no time will mend that, but an operator: a table (42P01), a column (42703), a function
    /// (42883), a type or role (42704), a schema (3F000), a database (3D000), a privilege (42501), the right to log in (class 28); or a prepared
    /// statement (26000, 42P05), where a pooler gives each transaction another session.
    public var awaitsOperator: Bool {
        guard code == .server, let sqlState else { return false }
        return sqlState.hasPrefix("28")
            || ["42P01", "42703", "42883", "42704", "3F000", "3D000", "42501", "26000", "42P05"].contains(sqlState)
    }

    /// A value cannot be stored, sent or read as it is: text with U+0000 or that is not UTF-8, a number out of range, a date that is none (class 22),
    /// or one too large for an index (54000). Most often it is the input's.
    public var isAboutValue: Bool {
        if code == .encoding { return true }
        guard code == .server, let sqlState else { return false }
        return sqlState.hasPrefix("22") || isTooLargeForIndex
    }

    /// What an operator can do about an error with the cause ``Cause/schema``, or about a server that takes no writes.
    public var advice: String {
        switch sqlState {
        case "26000", "42P05":
            "a pooler stands between that gives each transaction another session: connect to the server itself, or let the pooler keep sessions"
        case "42501": "grant the worker's user what it lacks"
        case "25006": "the server takes no writes: connect to the first one, or look at default_transaction_read_only"
        case "3D000": "is the database's name in SPARQ_POSTGRES_URL right?"
        case let state? where state.hasPrefix("28"): "are user and password in SPARQ_POSTGRES_URL right, and may the user log in?"
        default: "are database and search_path the right ones, and all migrations applied (sparq migrate status)?"
        }
    }

    /// Codes that differ from the rest of their class.
    private static func cause(ofState state: String) -> Cause? {
        switch state {
        // lock_not_available (NOWAIT, or lock_timeout) and object_in_use: somebody else has it, for who knows how long. query_canceled: the
        // statement timeout, or somebody's hand. 25P03, 25P04: the transaction stood still, or took too long.
        case "55P03", "55006", "57014", "25P03", "25P04": .slowness
        // program_limit_exceeded: a value too large for an index; but also a server that takes no writes until it is vacuumed.
        case "54000": .defect
        // read_only_sql_transaction: a server that has not taken over yet, or is no longer the first.
        case "25006": .outage
        default: nil
        }
    }

    private static func cause(ofClass name: Substring) -> Cause {
        switch name {
        // transaction_rollback
        case "40": .conflict
        // connection_exception, insufficient_resources (disk, memory, connections), operator_intervention (shutdown, start, recovery), system_error
        // (input and output), snapshot_too_old, config_file_error, fdw_error (another server that this one asks)
        case "08", "53", "57", "58", "72", "F0", "HV": .outage
        // internal_error, data_corrupted, index_corrupted
        case "XX": .defect
        // triggered_action_exception, cardinality_violation, data_exception, integrity_constraint_violation, triggered_data_change_violation,
        // with_check_option_violation, statement too complex, too many columns or arguments, and RAISE in a function or trigger
        case "09", "21", "22", "23", "27", "44", "54", "P0": .data
        // feature_not_supported, grantor, role, statement name, authorization, dependent privileges, routines, database, schema, syntax and access
        // rule (missing tables, columns, functions, privileges), object state
        case "0A", "0B", "0L", "0P", "26", "28", "2B", "2F", "38", "39", "3B", "3D", "3F", "42", "55": .schema
        // invalid_transaction_state and the like: what was sent before it was wrong
        case "0Z", "20", "24", "25", "2D", "34": .usage
        // Not known to us: it may pass.
        default: .defect
        }
    }
}
