import Logging
import SparqPostgres
import Testing

/// The server that the tests use: `SPARQ_TEST_POSTGRES_URL`, the address of a superuser's database.
enum Database {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "SPARQ_TEST_POSTGRES_URL is not set: these tests need a PostgreSQL server" }
    }

    static var url: String {
        get throws {
            guard let url = environment("SPARQ_TEST_POSTGRES_URL") else { throw Missing() }
            return url
        }
    }

    /// Who logs in, the server's port, and the database with a slash before it.
    private static var parts: (user: Substring, port: UInt16, database: Substring) {
        get throws {
            guard let match = try url.wholeMatch(of: #/postgresql://(?<user>.*)@[^@]*:(?<port>\d+)(?<database>/[^?]*).*/#),
                let port = UInt16(match.output.port)
            else { throw Missing() }
            return (match.output.user, port, match.output.database)
        }
    }

    static var port: UInt16 { get throws { try parts.port } }

    /// The same database, at other places or with other parameters.
    static func url(hosts: [(String, UInt16)], query: String = "") throws -> String {
        let (user, _, database) = try parts
        return "postgresql://\(user)@\(hosts.map { "\($0):\($1)" }.joined(separator: ","))\(database)\(query.isEmpty ? "" : "?")\(query)"
    }

    /// By way of a port on this machine.
    static func url(port: UInt16) throws -> String { try url(hosts: [("127.0.0.1", port)]) }

    /// With settings for the session.
    static func url(options: String) throws -> String {
        let escaped = options.replacing(" ", with: "%20").replacing("=", with: "%3D")
        return try url(hosts: [("127.0.0.1", try port)], query: options.isEmpty ? "" : "options=\(escaped)")
    }

    static func configuration() throws -> PostgresConfiguration {
        try PostgresConfiguration(url: try url)
    }

    /// Lends a running pool.
    static func withPool<Value>(
        _ configuration: PostgresConfiguration? = nil,
        _ body: (PostgresPool) async throws -> Value
    ) async throws -> Value {
        let pool = PostgresPool(configuration: try configuration ?? Database.configuration(), logger: Logger(label: "test"))
        let task = Task { try await pool.run() }
        do {
            let value = try await body(pool)
            task.cancel()
            try await task.value
            return value
        } catch {
            task.cancel()
            try await task.value
            throw error
        }
    }

    /// A name that no other test has.
    static func name(_ prefix: String = "t") -> String {
        "\(prefix)_\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }
}

/// Waits until a condition holds, for so long at most.
func eventually(
    within limit: Duration = .seconds(10),
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        try #require(ContinuousClock.now < deadline, what, sourceLocation: sourceLocation)
        try await Task.sleep(for: .milliseconds(5))
    }
}
