import CPostgreSQL

/// Where the database is, and the limits that a ``PostgresPool`` keeps.
///
/// The address goes to libpq as it is, so every parameter of
/// [libpq's connection strings](https://www.postgresql.org/docs/15/libpq-connect.html) works, TLS (`sslmode`, `sslrootcert`, …)
/// and several hosts among them, and so do libpq's environment variables and password file. Of several hosts, and of several numeric
/// addresses of one name, each is tried in turn for ``connectTimeout``; who let that pass comes last for half a minute.
/// Printing a configuration never shows the address's password.
public struct PostgresConfiguration: Sendable {
    /// The most connections held at once. Each has a thread of its own.
    public var poolSize = 4
    /// How many connections are opened at the start, and kept, wanted or not; one at least. What is open already the server does not refuse later,
    /// when it takes no more.
    public var minimumConnections = 1
    /// The most callers that may wait for a connection; one more is refused at once with ``PostgresError/Code/poolTimeout``.
    public var maximumWaiters = 4096
    /// How long a caller waits for a connection.
    public var acquireTimeout: Duration = .seconds(5)
    /// How long one attempt to connect to one address may take, TLS and authentication included. The address's `connect_timeout` wins.
    public var connectTimeout: Duration = .seconds(5)
    /// The server's `statement_timeout`. Two seconds after it the client gives the connection up by itself, for a server or
    /// network that is gone without a word. Zero: no limit.
    public var statementTimeout: Duration = .seconds(30)
    /// How long the server may say nothing while an answer is due, before another connection looks at what that session does. One that does nothing
    /// is frozen: its connection is given up, and the session ended, so that it holds no locks. One that works is left alone, and looked at
    /// again after as long. Where a pooler or a balancer stands between, nobody can tell, and only ``statementTimeout`` counts.
    public var silenceLimit: Duration = .seconds(3)
    /// After so long without a request a connection is asked for a sign of life.
    public var idleCheckInterval: Duration = .seconds(5)
    /// The server's `idle_in_transaction_session_timeout`: how long a transaction may stand still between two statements, and hold its locks. A
    /// process that was stopped, or a body that waits for something else, loses its session then; see ``PostgresError/isIdleTimeout``.
    /// Zero: no limit.
    public var idleInTransactionTimeout: Duration = .seconds(10)
    /// How long ``PostgresPool/run()`` waits at a graceful shutdown for connections that are in use.
    public var shutdownTimeout: Duration = .seconds(10)
    /// Shown in `pg_stat_activity`, where the address does not name another.
    public var applicationName = "postgres-swift"
    /// The most prepared statements kept per connection; the least recently used one makes room.
    public var statementCacheSize = 256
    /// The pause between attempts to connect.
    public var backoff = PostgresBackoff()

    /// Secret: may hold the password.
    private let address: String
    /// The same, read.
    let conninfo: ConnectionInfo

    /// Reads an address.
    ///
    /// - Parameter url: `postgresql://user:password@host:port/database?sslmode=…`, or a string of `key=value` pairs.
    /// - Throws: ``PostgresError`` with the code `invalidConfiguration`, without the address (which may hold a password).
    public init(url: String) throws(PostgresError) {
        guard !url.utf8.contains(0), let options = PQconninfoParse(url, nil) else {
            throw PostgresError(.invalidConfiguration, "the database's address is no PostgreSQL URL or connection string")
        }
        PQconninfoFree(options)
        address = url
        conninfo = ConnectionInfo(url)
    }

    /// ``statementTimeout`` as the server wants it.
    var statementTimeoutMilliseconds: Int64 { Self.milliseconds(statementTimeout) }

    /// ``idleInTransactionTimeout`` as the server wants it.
    var idleInTransactionTimeoutMilliseconds: Int64 { Self.milliseconds(idleInTransactionTimeout) }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    /// What may be shown of the address.
    private var target: String {
        guard let options = PQconninfoParse(address, nil) else { return "" }
        defer { PQconninfoFree(options) }
        var shown: [String] = []
        var next = options
        while let keyword = next.pointee.keyword {
            let name = String(cString: keyword)
            if ["host", "hostaddr", "port", "dbname", "user", "sslmode"].contains(name), let value = next.pointee.val {
                shown.append("\(name)=\(String(cString: value))")
            }
            next += 1
        }
        return shown.joined(separator: " ")
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Host, port, database and user; never the password.
    public var description: String { "PostgresConfiguration(\(target))" }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// Only what ``description`` shows, so that `dump` leaks nothing either.
    public var customMirror: Mirror { Mirror(self, children: ["target": target]) }
}
