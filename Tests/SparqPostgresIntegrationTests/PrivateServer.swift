#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A PostgreSQL server of a test's own on a socket in its folder, which it may stop and start. PostgreSQL refuses to run as root, so as root it runs as the
/// package's user `postgres`.
struct PrivateServer {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    private let folder: String
    private let programs: String

    var url: String { "postgresql:///postgres?user=postgres&host=\(folder)" }

    /// Lends a server that is not running yet, and removes all of it afterwards.
    static func with(_ body: (PrivateServer) async throws -> Void) async throws {
        let server = PrivateServer(
            folder: "/tmp/\(Database.name("postgres-test"))",
            programs: environment("SPARQ_TEST_POSTGRES_BIN") ?? "/usr/lib/postgresql/15/bin"
        )
        var failure: (any Error)?
        do {
            try await server.create()
            try await body(server)
        } catch {
            failure = error
        }
        try? await server.stop("immediate")
        try await run(["/bin/rm", "-rf", server.folder])
        if let failure { throw failure }
    }

    private func create() async throws {
        try await Self.run(["/bin/mkdir", "-m", "700", folder])
        if getuid() == 0 { try await Self.run(["/bin/chown", "postgres", folder]) }
        try await program("initdb", ["-D", "\(folder)/data", "-U", "postgres", "-A", "trust", "-N"])
    }

    func start() async throws {
        let options = "-k \(folder) -c listen_addresses=''"
        try await program("pg_ctl", ["-D", "\(folder)/data", "-o", options, "-l", "\(folder)/log", "-w", "start"])
    }

    /// Ends all sessions at once; `immediate` without a word, as a crash does.
    func stop(_ mode: String) async throws {
        try await program("pg_ctl", ["-D", "\(folder)/data", "-m", mode, "-w", "stop"])
    }

    private func program(_ name: String, _ arguments: [String]) async throws {
        let user = getuid() == 0 ? ["/usr/sbin/runuser", "-u", "postgres", "--"] : []
        try await Self.run(user + ["\(programs)/\(name)"] + arguments)
    }

    /// Not Foundation's `Process`: it waits for the end of whatever inherits its descriptors, a server that was started among them.
    private static func run(_ words: [String]) async throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in Int32(0)...2 { posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0) }
        let arguments = words.map { strdup($0) }
        let settings = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8"]
        let variables = settings.map { strdup($0) }
        defer { for text in arguments + variables { free(text) } }
        var process = pid_t()
        guard posix_spawn(&process, words[0], &actions, nil, arguments + [nil], variables + [nil]) == 0 else {
            throw Failed(description: "\(words) could not be started")
        }
        var status: Int32 = 0
        while waitpid(process, &status, WNOHANG) == 0 { try? await Task.sleep(for: .milliseconds(2)) }
        guard status == 0 else { throw Failed(description: "\(words) failed with status \(status)") }
    }
}
