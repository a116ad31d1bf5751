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

    func pid(_ server: Server) async throws -> pid_t {
        let text = try await run(["pid", server.rawValue, folder.path]).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let pid = pid_t(text) else { throw ChaosError("no process id of \(server.rawValue): \(text)") }
        return pid
    }

    /// Output goes by a file: servers inherit it, and a pipe would be open as long as they run.
    private func run(_ arguments: [String]) async throws -> String {
        let name = "services-\(UInt32.random(in: .min ... .max))"
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("sparq-chaos-\(name)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let process = try RunningProcess(name, executable: script, arguments: arguments, environment: [:], folder: place)
        let status = await process.end(within: .seconds(180))
        let output = (try? String(contentsOf: place.appendingPathComponent("\(name).log"), encoding: .utf8)) ?? ""
        guard status == 0 else { throw ChaosError("services \(arguments.joined(separator: " ")) ended with \(status): \(output)") }
        return output
    }
}
