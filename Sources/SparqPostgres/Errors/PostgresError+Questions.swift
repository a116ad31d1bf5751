extension PostgresError {
    /// A row with this key exists (23505).
    public var isUniqueViolation: Bool { sqlState == "23505" }

    /// The row referred to does not exist, or is still referred to (23503).
    public var isForeignKeyViolation: Bool { sqlState == "23503" }

    /// A CHECK constraint says no (23514).
    public var isCheckViolation: Bool { sqlState == "23514" }

    /// Any violated constraint (class 23).
    public var isConstraintViolation: Bool { sqlState?.hasPrefix("23") ?? false }

    /// The server ended the statement for its timeout, or because somebody cancelled it (57014).
    public var isStatementTimeout: Bool { sqlState == "57014" }

    /// The server ended the session because its transaction stood still for too long (25P03).
    /// Nothing of it happened. Whoever stood still may do so again.
    public var isIdleTimeout: Bool { sqlState == "25P03" }

    /// The same transaction, run again from its start, can succeed: a serialization failure (40001), a deadlock (40P01),
    /// or a plan that the schema outran.
    public var isRetryable: Bool { sqlState == "40001" || sqlState == "40P01" || isStalePlan }

    /// It only says that the transaction had failed before (25P02, or a commit that became a rollback).
    var isAftermath: Bool { sqlState == "25P02" || code == .transactionAborted || code == .pipelineAborted }
}
