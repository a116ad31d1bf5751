extension Session {
    /// Sets what the configuration wants of the session, and notes who it is; one round trip.
    func prepare() throws(Interruption) {
        let limits = [
            "SET statement_timeout = \(configuration.statementTimeoutMilliseconds)",
            "SET idle_in_transaction_session_timeout = \(configuration.idleInTransactionTimeoutMilliseconds)",
        ].map { Statement($0).unprepared() }
        var exchange = Exchange(self, .separate(limits + [Statement(Self.network).unprepared(), SessionIdentity.statement]))
        try exchange.run()
        for case .failure(let error)? in exchange.outcomes.prefix(limits.count) { throw .lost(error) }
        guard case .success(let rows)? = exchange.outcomes.last ?? nil, rows.count == 1,
            let (pid, began, serverBegan) = try? rows[0].decode(Int32.self, String.self, String.self),
            // Behind a pooler it is another session's number, and perhaps the next statement's is yet another.
            pid == backend
        else { return }
        identity = SessionIdentity(pid: pid, began: began, serverBegan: serverBegan)
    }

    /// The server's own look at the network, in milliseconds and seconds: it ends the session of a client that is gone without a word within
    /// about 10 s, also in the middle of a statement, and so frees its locks. What somebody has set stays, and so does what a server or its
    /// operating system does not know.
    private static let network = """
        SELECT set_config(s.name, v.setting, false)
        FROM (VALUES
            ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'), ('tcp_keepalives_count', '3'),
            ('tcp_user_timeout', '10000'), ('client_connection_check_interval', '2000')
        ) AS v (name, setting)
        JOIN pg_settings s ON s.name = v.name
        WHERE s.source = 'default'
        """

    /// An empty question: a connection that is dead without a word is noticed before somebody needs it.
    func askForALifeSign() throws(Interruption) {
        var exchange = Exchange(self, Request(work: .script("")))
        try exchange.run()
    }
}
