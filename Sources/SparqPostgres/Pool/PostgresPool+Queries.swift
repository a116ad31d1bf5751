extension PostgresPool: PostgresExecutor {
    /// How often a request that was certainly not run is given to another connection.
    private static let attemptsUnsent = 3

    /// Runs one statement on any connection; its own transaction.
    ///
    /// It is sent again by itself only where it certainly did not run: the connection was found broken before anything was sent, or
    /// the schema outran a prepared plan. A connection that breaks later means `connectionLost`, with
    /// ``PostgresError/isOutcomeUnknown``.
    public func run(_ statement: Statement) async throws -> PostgresResult {
        if let failure = statement.failure { throw failure }
        var attempt = 1
        while true {
            do {
                return try await withConnection { try await $0.run(statement) }
            } catch let error as PostgresError where (error.isUnsent || error.isStalePlan) && attempt < Self.attemptsUnsent {
                attempt += 1
            }
        }
    }

    /// Runs independent statements in one round trip on one connection: one flush, and a synchronization point after each statement. So
    /// each is its own transaction, a later one sees what an earlier one committed, and a failed one hinders nobody.
    ///
    /// - Returns: one outcome per statement. Where the connection breaks in the middle, those without an answer failed with
    ///   `connectionLost` and ``PostgresError/isOutcomeUnknown``.
    /// - Throws: ``PostgresError`` where nothing was run, or `CancellationError`.
    public func pipeline(_ statements: [Statement]) async throws -> [Result<PostgresResult, PostgresError>] {
        if statements.isEmpty { return [] }
        var attempt = 1
        while true {
            do {
                return try await withConnection { try await $0.pipeline(statements) }
            } catch let error as PostgresError where error.isUnsent && attempt < Self.attemptsUnsent {
                attempt += 1
            }
        }
    }

    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    ///
    /// Run again, from its start and after a short random pause, only where it certainly left nothing behind: after a serialization
    /// failure (40001), a deadlock (40P01), a plan that the schema outran, or a connection that broke before the first statement was
    /// sent. So `body` must have no effects but its statements. A connection lost during COMMIT is reported with
    /// ``PostgresError/isOutcomeUnknown`` and not retried.
    ///
    /// - Parameter attempts: how often `body` is run at most.
    /// - Throws: what `body` throws, ``PostgresError``, or `CancellationError`. Where the body only met the aftermath of an error that may pass or be
    ///   mended, or that is about a value, that error. When the task is cancelled the connection is closed at once, whatever the body does.
    public func transaction<Value>(
        isolation: PostgresIsolation = .readCommitted,
        attempts: Int = 5,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        try await transaction(isolation: isolation, attempts: attempts, body, explaining: { error, _ in error })
    }

    /// The same. What it throws can be looked into: in another transaction of the same session, which is rolled back.
    package func transaction<Value>(
        isolation: PostgresIsolation = .readCommitted,
        attempts: Int = 5,
        _ body: (PostgresTransaction) async throws -> Value,
        explaining: (any Error, PostgresTransaction) async -> any Error
    ) async throws -> Value {
        try await retrying(attempts) { (lease) async throws in
            // A body that does not care that its task is cancelled keeps neither the connection nor its locks.
            try await withTaskCancellationHandler {
                do {
                    return try await transact(PostgresTransaction(thread: lease.thread, isolation: isolation), body)
                } catch {
                    let other = PostgresTransaction(thread: lease.thread, isolation: isolation)
                    let explained = await explaining(error, other)
                    await other.rollback()
                    throw explained
                }
            } onCancel: {
                lease.thread.close()
            }
        }
    }

    private func transact<Value>(
        _ transaction: PostgresTransaction,
        _ body: (PostgresTransaction) async throws -> Value
    ) async throws -> Value {
        do {
            let value = try await body(transaction)
            try await transaction.commit()
            return value
        } catch {
            await transaction.rollback()
            guard let cause = transaction.firstFailure else { throw error }
            let isAftermath = (error as? PostgresError)?.isAftermath == true
            if cause.isRetryable || (isAftermath && (cause.mayPass || cause.isMissing || cause.isAboutValue)) { throw cause }
            throw error
        }
    }

    /// Lends one connection, for what needs a session of its own. Left inside a transaction block, it is closed afterwards.
    public func withConnection<Value>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        try await withLease { lease in
            let validity = Validity()
            defer { validity.end() }
            return try await body(PostgresConnection(thread: lease.thread, validity: validity))
        }
    }

    private func retrying<Value>(_ attempts: Int, _ body: (Lease) async throws -> Value) async throws -> Value {
        var attempt = 1
        while true {
            do {
                return try await withLease(body)
            } catch let error as PostgresError where (error.isRetryable || error.isUnsent) && attempt < attempts {
                let pause = PostgresBackoff(initial: .milliseconds(4), maximum: .milliseconds(100))
                try await Task.sleep(for: pause.delay(failures: attempt, random: Double.random(in: 0..<1)))
                attempt += 1
            }
        }
    }
}
