import CPostgreSQL

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who a session is at the server, so that another one can look for it.
struct SessionIdentity: Sendable {
    let pid: Int32
    /// When the session began, and the server: numbers of processes are used again, and a balancer may lead to another server.
    let began: String
    let serverBegan: String

    /// Asks for it.
    static let statement = Statement(
        """
        SELECT pid, extract(epoch FROM backend_start)::text, extract(epoch FROM pg_postmaster_start_time())::text
        FROM pg_stat_activity WHERE pid = pg_backend_pid()
        """
    ).unprepared()
}

extension Session {
    /// What another session sees of one that has fallen silent.
    fileprivate enum Sight: String {
        /// It is busy, or waits for a lock or the disk.
        case works
        /// It waits for its client: for a question that has not come, or for an answer to be taken.
        case waits
        case gone
        /// Another server, or nothing that we may see.
        case unknown

        var isIdle: Bool { self == .waits || self == .gone }
    }

    /// An answer that is on its way when the session is looked at arrives within this time.
    private static let grace: Duration = .seconds(1)
    private static let connectLimit: Duration = .seconds(3)

    /// `$1`…`$3` are a ``SessionIdentity``; `$4` ends a session that waits.
    private static let look = """
        SELECT sight, CASE WHEN sight = 'waits' AND $4 THEN pg_terminate_backend(pid) END FROM (
            SELECT a.pid, CASE
                WHEN extract(epoch FROM pg_postmaster_start_time())::text <> $3 THEN 'unknown'
                WHEN a.pid IS NULL THEN 'gone'
                WHEN a.state IS NULL OR a.state = 'disabled' THEN 'unknown'
                WHEN a.state IN ('active', 'fastpath function call') AND a.wait_event_type IS DISTINCT FROM 'Client' THEN 'works'
                ELSE 'waits'
            END AS sight
            FROM (VALUES (true)) AS one
            LEFT JOIN pg_stat_activity a ON a.pid = $1 AND extract(epoch FROM a.backend_start)::text = $2
        ) AS seen
        """

    /// The session said nothing for a while, though an answer is due: looks at it over a connection of its own.
    ///
    /// Throws where the connection is frozen: the server has nothing to do for it, and yet nothing arrives. Its session is ended, so that it
    /// holds no locks. Where no other connection can be made nothing is known, and all goes on.
    ///
    /// - Returns: events of this session's socket that came meanwhile; 0 where there were none.
    func doubt(for events: Int16) throws(Interruption) -> Int16 {
        guard let identity else { return 0 }
        var settings = configuration
        settings.statementTimeout = Self.connectLimit
        let watcher: Session
        do throws(Interruption) {
            // Without an identity, and so without a watcher of its own.
            watcher = try Session(settings, address, wakeUp: wakeUp, mailbox: mailbox, limit: Self.connectLimit)
        } catch {
            guard case .lost = error else { throw error }
            return 0
        }
        guard try watcher.sight(of: identity, endsIt: false).isIdle else { return 0 }
        let deadline = ContinuousClock.now + Self.grace
        while ContinuousClock.now < deadline {
            let arrived = try wait(for: events, until: deadline)
            if arrived != 0 { return arrived }
        }
        guard try watcher.sight(of: identity, endsIt: true).isIdle else { return 0 }
        throw .lost(PostgresError(.timeout, "the connection is frozen: its session waits for us, and nothing arrives"))
    }

    private func sight(of identity: SessionIdentity, endsIt: Bool) throws(Interruption) -> Sight {
        let statement = Statement(Self.look, identity.pid, identity.began, identity.serverBegan, endsIt).unprepared()
        var exchange = Exchange(self, .separate([statement]))
        do throws(Interruption) { try exchange.run() } catch {
            guard case .lost = error else { throw error }
            return .unknown
        }
        guard case .success(let rows)? = exchange.outcomes.first ?? nil, rows.count == 1,
            let (sight, _) = try? rows[0].decode(String.self, Bool?.self)
        else { return .unknown }
        return Sight(rawValue: sight) ?? .unknown
    }
}
