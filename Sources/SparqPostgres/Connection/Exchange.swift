import CPostgreSQL

/// Carries one request through libpq: sends everything in one go, then reads the answers in the same order.
struct Exchange {
    /// What the server will answer, in order.
    private enum Expected {
        case prepare(StatementCache.Key, slot: Int)
        case statement(slot: Int, StatementCache.Key?)
        case deallocate(String)
        case prologue
        case sync(slot: Int?)
    }

    private let session: Session
    private let request: Request
    private var expected: [Expected] = []
    private(set) var outcomes: [StatementOutcome?] = []
    /// What the request's prologue failed with.
    private(set) var failedPrologue: PostgresError?
    /// Preparing these failed within this request.
    private var unprepared: [StatementCache.Key: PostgresError] = [:]

    init(_ session: Session, _ request: Request) {
        self.session = session
        self.request = request
    }

    private var connection: OpaquePointer { session.connection }

    mutating func run() throws(Interruption) {
        switch request.work {
        case .script(let sql): try runScript(sql)
        case .statements(let statements, let grouping):
            outcomes = statements.map { statement in statement.failure.map { .failure($0) } }
            if !(try runAlone(statements)) { try runPipeline(statements, grouping) }
        }
    }

    /// The common case: one statement that needs no company. Without pipeline mode libpq does less.
    private mutating func runAlone(_ statements: [Statement]) throws(Interruption) -> Bool {
        guard statements.count == 1, request.prologue == nil, session.cache.evicted.isEmpty,
            let statement = statements.first, statement.failure == nil
        else { return false }
        var key: StatementCache.Key?
        if statement.isPrepared {
            let wanted = StatementCache.Key(sql: statement.sql, types: statement.types)
            guard let name = session.cache.name(for: wanted) else { return false }
            key = wanted
            try send(statement, name: name)
        } else {
            try send(statement, name: nil)
        }
        try session.flush(isUnlimited: request.isUnlimited)
        try readStatement(slot: 0, key)
        return true
    }

    private mutating func runPipeline(_ statements: [Statement], _ grouping: Request.Grouping) throws(Interruption) {
        guard PQenterPipelineMode(connection) == 1 else { throw .lost(session.lost()) }
        for name in session.cache.evicted {
            try check(PQsendQueryParams(connection, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 1))
            expected += [.deallocate(name), .sync(slot: nil)]
            try check(cpg_pipeline_sync(connection))
        }
        if let prologue = request.prologue {
            try check(PQsendQueryParams(connection, prologue, 0, nil, nil, nil, nil, 1))
            expected.append(.prologue)
        }
        for (slot, statement) in statements.enumerated() where statement.failure == nil {
            var name: String?
            var key: StatementCache.Key?
            if statement.isPrepared {
                let wanted = StatementCache.Key(sql: statement.sql, types: statement.types)
                key = wanted
                if let known = session.cache.name(for: wanted) {
                    name = known
                } else {
                    name = try prepare(wanted, slot: slot)
                }
            }
            try send(statement, name: name)
            expected.append(.statement(slot: slot, key))
            if case .separate = grouping {
                try check(cpg_pipeline_sync(connection))
                expected.append(.sync(slot: slot))
            }
        }
        if case .together = grouping {
            try check(cpg_pipeline_sync(connection))
            expected.append(.sync(slot: outcomes.indices.last))
        }
        try session.flush(isUnlimited: request.isUnlimited)
        try read()
        guard PQexitPipelineMode(connection) == 1 else { throw .lost(session.lost()) }
    }

    // MARK: Sending

    private func check(_ sent: Int32) throws(Interruption) {
        if sent != 1 { throw .lost(session.lost()) }
    }

    private mutating func prepare(_ key: StatementCache.Key, slot: Int) throws(Interruption) -> String {
        let name = session.cache.insert(key)
        try check(PQsendPrepare(connection, name, key.sql, Int32(key.types.count), key.types))
        expected.append(.prepare(key, slot: slot))
        return name
    }

    /// Sends one statement: by its prepared name, or else as it is. Values and results travel in binary form.
    private func send(_ statement: Statement, name: String?) throws(Interruption) {
        let count = statement.ranges.count
        let formats = [Int32](repeating: 1, count: count)
        let lengths = statement.ranges.map { Int32($0?.count ?? 0) }
        let sent = statement.bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                let values = statement.ranges.map { range in
                    range.flatMap { characters.baseAddress?.advanced(by: $0.lowerBound) }
                }
                return if let name {
                    PQsendQueryPrepared(connection, name, Int32(count), values, lengths, formats, 1)
                } else {
                    PQsendQueryParams(connection, statement.sql, Int32(count), statement.types, values, lengths, formats, 1)
                }
            }
        }
        try check(sent)
    }

    // MARK: Reading

    private mutating func read() throws(Interruption) {
        for expectation in expected {
            switch expectation {
            case .prepare(let key, let slot):
                if case .failure(let error) = try readOutcome() {
                    session.cache.remove(key, isOnServer: false)
                    unprepared[key] = error
                    outcomes[slot] = .failure(error)
                }
            case .statement(let slot, let key): try readStatement(slot: slot, key)
            case .deallocate(let name):
                if case .success = try readOutcome() { session.cache.deallocated(name) }
            case .prologue: if case .failure(let error) = try readOutcome() { failedPrologue = error }
            case .sync(let slot): try readSync(slot: slot)
            }
        }
    }

    private mutating func readStatement(slot: Int, _ key: StatementCache.Key?) throws(Interruption) {
        let outcome = try readOutcome()
        if case .failure(let error) = outcome, let key {
            if error.isStalePlan || error.sqlState == "26000" { session.cache.remove(key, isOnServer: error.isStalePlan) }
            // Preparing it failed: that error says why, not the one that follows from it.
            if let cause = unprepared[key] {
                outcomes[slot] = .failure(cause)
                return
            }
        }
        outcomes[slot] = outcome
    }

    /// An error may come where only the synchronization point was due: the commit of an implicit transaction failed.
    private mutating func readSync(slot: Int?) throws(Interruption) {
        while true {
            guard let result = try session.nextResult(isUnlimited: request.isUnlimited) else { continue }
            let handle = ResultHandle(result)
            switch PQresultStatus(handle.pointer) {
            case PGRES_PIPELINE_SYNC: return
            case PGRES_FATAL_ERROR:
                let error = PostgresError(result: handle.pointer, connectionIsBroken: session.isBroken)
                if let slot, outcomes.indices.contains(slot) { outcomes[slot] = .failure(error) }
                if error.code == .connectionLost { throw .lost(error) }
            default: throw .lost(PostgresError(.connectionLost, "the server's answers came out of order"))
            }
        }
    }

    /// One statement's outcome: its first error, else its last result.
    private mutating func readOutcome() throws(Interruption) -> StatementOutcome {
        var outcome: StatementOutcome?
        while let result = try session.nextResult(isUnlimited: request.isUnlimited) {
            let handle = ResultHandle(result)
            let next = try interpret(handle)
            if case .failure = outcome { continue }
            outcome = next
        }
        guard let outcome else { throw .lost(PostgresError(.connectionLost, "the server gave no answer to a statement")) }
        return outcome
    }

    private func interpret(_ handle: ResultHandle) throws(Interruption) -> StatementOutcome {
        switch PQresultStatus(handle.pointer) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return .success(PostgresResult(handle))
        case PGRES_PIPELINE_ABORTED:
            return .failure(PostgresError(.pipelineAborted, "not run, because a statement before it failed"))
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            throw .lost(PostgresError(.unsupported, "COPY is not supported"))
        default:
            let error = PostgresError(result: handle.pointer, connectionIsBroken: session.isBroken)
            if error.code == .connectionLost { throw .lost(error) }
            return .failure(error)
        }
    }

    private mutating func runScript(_ sql: String) throws(Interruption) {
        try check(PQsendQuery(connection, sql))
        try session.flush(isUnlimited: request.isUnlimited)
        if case .failure(let error) = try readOutcome() { outcomes = [.failure(error)] }
    }
}
