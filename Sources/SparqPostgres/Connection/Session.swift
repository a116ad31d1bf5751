import CPostgreSQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One of libpq's connections, non-blocking. Belongs to one thread: not `Sendable`, made and used by ``ConnectionThread`` alone.
final class Session {
    let connection: OpaquePointer
    var cache: StatementCache
    let configuration: PostgresConfiguration
    /// Where the server is.
    let address: ServerAddress
    let wakeUp: WakeUp
    let mailbox: Mailbox
    /// Who it is at the server; without it nobody else can be asked about it.
    var identity: SessionIdentity?
    /// Why the server closes the connection, where it said so while nothing was asked of it: libpq makes a notice of that.
    private var farewell: PostgresError?

    /// Connects to the first address that takes the connection. Each has its own time: who is silent must not keep others from being asked.
    static func connect(
        _ configuration: PostgresConfiguration,
        _ addresses: Addresses,
        wakeUp: WakeUp,
        mailbox: Mailbox
    ) throws(Interruption) -> Session {
        var failures: [String] = []
        for address in addresses.all() {
            do throws(Interruption) {
                return try Session(configuration, address, wakeUp: wakeUp, mailbox: mailbox)
            } catch {
                guard case .lost(let failure) = error else { throw error }
                if failure.code == .timeout { addresses.wasSilent(address) }
                if !failures.contains(failure.message) { failures.append(failure.message) }
            }
        }
        throw .lost(PostgresError(.connectionFailed, failures.joined(separator: "; ")))
    }

    /// Connects to one address, and waits for as long as the configuration allows, but no longer than the limit.
    init(
        _ configuration: PostgresConfiguration,
        _ address: ServerAddress,
        wakeUp: WakeUp,
        mailbox: Mailbox,
        limit: Duration? = nil
    ) throws(Interruption) {
        self.configuration = configuration
        self.address = address
        self.wakeUp = wakeUp
        self.mailbox = mailbox
        cache = StatementCache(
            capacity: max(1, configuration.statementCacheSize),
            prefix: "s\(String(UInt64.random(in: 0 ... .max), radix: 36))_"
        )

        // The kernel notices a silent peer within about 10 s, busy or idle.
        let defaults = [
            ("fallback_application_name", configuration.applicationName), ("keepalives_idle", "5"), ("keepalives_interval", "2"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "10000"),
        ]
        // This module relies on the encoding.
        let settings = configuration.conninfo.parameters(for: address, defaults: defaults, fixed: [("client_encoding", "UTF8")])
        guard let connection = Session.start(settings) else {
            throw .lost(PostgresError(.connectionFailed, "no memory for a connection"))
        }
        self.connection = connection
        let receiver: PQnoticeReceiver = { session, notice in
            guard let session, let notice else { return }
            Unmanaged<Session>.fromOpaque(session).takeUnretainedValue().noted(notice)
        }
        // Unretained: the connection ends with the session.
        PQsetNoticeReceiver(connection, receiver, Unmanaged.passUnretained(self).toOpaque())
        let allowed = configuration.conninfo.connectTimeout ?? configuration.connectTimeout
        try establish(until: .now + min(allowed, limit ?? allowed))
        guard PQsetnonblocking(connection, 1) == 0 else { throw connectionFailed() }
    }

    deinit { PQfinish(connection) }

    private static func start(_ settings: [(String, String)]) -> OpaquePointer? {
        let texts = settings.map { (strdup($0.0), strdup($0.1)) }
        defer {
            for (keyword, value) in texts {
                free(keyword)
                free(value)
            }
        }
        let keywords: [UnsafePointer<CChar>?] = texts.map { $0.0.map { UnsafePointer($0) } } + [nil]
        let values: [UnsafePointer<CChar>?] = texts.map { $0.1.map { UnsafePointer($0) } } + [nil]
        return PQconnectStartParams(keywords, values, 0)
    }

    private func establish(until deadline: ContinuousClock.Instant) throws(Interruption) {
        guard PQstatus(connection) != CONNECTION_BAD else { throw connectionFailed() }
        guard !DescriptorReserve.contains(PQsocket(connection)) else { throw .lost(DescriptorReserve.error) }
        var next = PGRES_POLLING_WRITING
        while true {
            switch next {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: try awaitSocket(Int16(POLLIN), until: deadline)
            case PGRES_POLLING_WRITING: try awaitSocket(Int16(POLLOUT), until: deadline)
            default: throw connectionFailed()
            }
            next = PQconnectPoll(connection)
        }
    }

    private func awaitSocket(_ events: Int16, until deadline: ContinuousClock.Instant) throws(Interruption) {
        while try wait(for: events, until: deadline) == 0 {
            if ContinuousClock.now >= deadline {
                let place = address.hostaddr ?? address.host ?? "the server"
                throw .lost(PostgresError(.timeout, "\(place) did not answer within the time limit for connecting"))
            }
        }
    }

    private func connectionFailed() -> Interruption {
        .lost(PostgresError(.connectionFailed, PostgresError.lastMessage(of: connection)))
    }

    /// The error for a connection that broke, as libpq tells it.
    func lost() -> PostgresError {
        farewell ?? PostgresError(.connectionLost, PostgresError.lastMessage(of: connection))
    }

    private func noted(_ notice: OpaquePointer) {
        var error = PostgresError(result: notice, connectionIsBroken: false)
        // Nothing was asked.
        error.isOutcomeUnknown = false
        if error.code == .connectionLost { farewell = error }
    }

    var isBroken: Bool { PQstatus(connection) == CONNECTION_BAD }

    /// The server process's number, as the server said when the connection began.
    var backend: Int32 { PQbackendPID(connection) }

    var isInTransaction: Bool { PQtransactionStatus(connection) != PQTRANS_IDLE }

    /// Waits for the socket, a wake-up, or the deadline.
    ///
    /// - Returns: the socket's events; 0 where there were none.
    func wait(for events: Int16, until deadline: ContinuousClock.Instant?) throws(Interruption) -> Int16 {
        var descriptors = (
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: PQsocket(connection), events: events, revents: 0)
        )
        let ready = withUnsafeMutableBytes(of: &descriptors) { raw in
            poll(raw.assumingMemoryBound(to: pollfd.self).baseAddress, 2, Session.milliseconds(until: deadline))
        }
        if ready < 0 && errno != EINTR {
            throw .lost(PostgresError(.connectionLost, "poll failed with errno \(errno)"))
        }
        if descriptors.0.revents != 0 { wakeUp.drain() }
        if let interruption = mailbox.interruption { throw interruption }
        return ready > 0 ? descriptors.1.revents : 0
    }

    /// For `poll`: rounded up, so that it does not spin through the last millisecond; -1 for no deadline.
    static func milliseconds(until deadline: ContinuousClock.Instant?) -> Int32 {
        guard let deadline else { return -1 }
        let (seconds, attoseconds) = (deadline - .now).components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Int32(clamping: min(seconds, 1_000_000) * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }

    /// Reads what the server sent by itself, while nothing is asked of it: notices, or its good-bye.
    func readUnasked() throws(PostgresError) {
        let isOpen = PQconsumeInput(connection) == 1 && !isBroken
        // Reads what has come, where the connection is closed too.
        while let notification = PQnotifies(connection) { PQfreemem(notification) }
        guard isOpen, farewell == nil else { throw lost() }
        // Nothing was asked, so a message that parses as a result is the server's reason for closing.
        while PQisBusy(connection) == 0, let result = PQgetResult(connection) {
            let error = PostgresError(result: result, connectionIsBroken: true)
            PQclear(result)
            throw error
        }
    }

    /// Sends what libpq holds back, reading meanwhile so that neither side waits for the other.
    func flush(isUnlimited: Bool) throws(Interruption) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1: break
            default: throw .lost(lost())
            }
            let events = try waitPatiently(for: Int16(POLLIN | POLLOUT), isUnlimited: isUnlimited)
            if events & ~Int16(POLLOUT) != 0 { try consume() }
        }
    }

    /// The next result; nil marks the end of a statement's results.
    func nextResult(isUnlimited: Bool) throws(Interruption) -> OpaquePointer? {
        while PQisBusy(connection) == 1 {
            try flush(isUnlimited: isUnlimited)
            _ = try waitPatiently(for: Int16(POLLIN), isUnlimited: isUnlimited)
            try consume()
        }
        return PQgetResult(connection)
    }

    private func consume() throws(Interruption) {
        // On failure libpq first hands out what it has received; PQisBusy then says no, and PQgetResult reports the loss.
        if PQconsumeInput(connection) == 0 && PQisBusy(connection) == 1 { throw .lost(lost()) }
    }

    /// Waits for the socket while an answer is due. A server that says nothing for a while is looked at over another connection.
    private func waitPatiently(for events: Int16, isUnlimited: Bool) throws(Interruption) -> Int16 {
        let limit = configuration.statementTimeout
        let deadline = isUnlimited || limit <= .zero ? nil : ContinuousClock.now + limit + .seconds(2)
        while true {
            let look = ContinuousClock.now + max(configuration.silenceLimit, .milliseconds(10))
            let next = deadline.map { min($0, look) } ?? look
            while ContinuousClock.now < next {
                let events = try wait(for: events, until: next)
                if events != 0 { return events }
            }
            if let deadline, ContinuousClock.now >= deadline {
                throw .lost(PostgresError(.timeout, "the server said nothing for longer than the statement timeout"))
            }
            let arrived = try doubt(for: events)
            if arrived != 0 { return arrived }
        }
    }

    /// Asks the server to stop what it does; used right before the connection is closed.
    func cancelOnServer() {
        guard PQtransactionStatus(connection) == PQTRANS_ACTIVE, let handle = PQgetCancel(connection) else { return }
        var message: [CChar] = Array(repeating: 0, count: 256)
        _ = PQcancel(handle, &message, Int32(message.count))
        PQfreeCancel(handle)
    }
}
