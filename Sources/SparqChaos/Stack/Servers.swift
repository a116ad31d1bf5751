import Foundation

/// A private RabbitMQ and a private PostgreSQL, by `scripts/services`.
struct Servers: Sendable {
    enum Server: String, Sendable { case rabbitmq, postgres }

    let script: String
    let folder: URL

    init(root: URL, folder: URL) {
        script = root.appendingPathComponent("scripts/services").path
        self.folder = folder
    }

    func start() async throws -> [String: String] {
        _ = try await run(["start", folder.path])
        var settings: [String: String] = [:]
        for line in try await run(["env", folder.path]).split(separator: "\n") {
            let sides = line.split(separator: "=", maxSplits: 1)
            if sides.count == 2 { settings[String(sides[0])] = String(sides[1]) }
        }
        return settings
    }

    func clean() async throws { _ = try await run(["clean", folder.path]) }
    func restart(_ server: Server) async throws { _ = try await run(["restart-\(server.rawValue)", folder.path]) }
    func control(_ arguments: [String]) async throws -> String { try await run(["ctl", folder.path] + arguments) }

    /// Waits until every quorum queue would outlive the broker's SIGKILL: RabbitMQ 3.10 writes down which replica is which queue's a second or
    /// two after the declaration, and a queue that is not in that file has no leader ever after; `basic.consume` on it hangs.
    func awaitQuorumQueues() async throws {
        let wait = """
            File = filename:join([rabbit_mnesia:dir(), "quorum", node(), "names.dets"]),
            Name = fun(Queue) -> atom_to_binary(element(1, amqqueue:get_pid(Queue))) end,
            Await = fun Await() ->
                {ok, Known} = file:read_file(File),
                case [Q || Q <- rabbit_amqqueue:list(), amqqueue:is_quorum(Q), binary:match(Known, Name(Q)) =:= nomatch] of
                    [] -> ok;
                    _ -> timer:sleep(50), Await()
                end
            end,
            Await().
            """
        _ = try await control(["eval", wait])
    }

    /// How many messages lie among the dead letters.
    func deadLetters() async throws -> Int {
        let queues = try await control(["list_queues", "-q", "-p", "sparq", "name", "messages"])
        let rows = queues.split(separator: "\n").map { $0.split(separator: "\t") }
        guard let row = rows.first(where: { $0.first == "sparq.dead" }), row.count == 2, let count = Int(row[1]) else {
            throw ChaosError("no count of dead letters in: \(queues)")
        }
        return count
    }

    func pid(_ server: Server) async throws -> pid_t {
        let text = try await run(["pid", server.rawValue, folder.path]).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pid = pid_t(text) else { throw ChaosError("no process id of \(server.rawValue): \(text)") }
        return pid
    }

    private func run(_ arguments: [String]) async throws -> String {
        try await RunningProcess.output(of: script, arguments)
    }
}
