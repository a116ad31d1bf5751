import SparqPostgres

/// Cuts single connections of the others'. Each returns whose it was; `nil` where none was cut.
struct Scissors: Sendable {
    let servers: Servers
    let database: PostgresPool

    /// The broker closes one, and says so when it is gone.
    func cutBroker(_ choice: Int) async throws -> String? {
        let text = try await servers.control([
            "eval",
            """
            case rabbit_networking:connections() of
                [] -> none;
                List ->
                    Pid = lists:nth(\(choice) * 3 rem length(List) + 1, List),
                    [{_, Name}] = rabbit_networking:connection_info(Pid, [client_properties]),
                    Monitor = erlang:monitor(process, Pid),
                    rabbit_networking:close_connection(Pid, "chaos"),
                    receive
                        {'DOWN', Monitor, process, Pid, _} ->
                            case lists:keyfind(<<"connection_name">>, 1, Name) of {_, _, Value} -> {cut, Value}; false -> {cut, <<"a connection">>} end
                    after 5000 -> none
                    end
            end.
            """,
        ])
        guard text.contains("{cut,") else { return nil }
        return text.split(separator: "\"").dropFirst().first.map(String.init) ?? "a connection"
    }

    func cutDatabase(_ choice: Int) async throws -> String? {
        // The list may be shorter than that: it begins anew.
        let sql = """
            WITH others AS (
                SELECT pid, application_name AS name, row_number() OVER (ORDER BY backend_start, pid) - 1 AS place, count(*) OVER () AS size
                FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                    AND application_name <> 'sparq-chaos'
            )
            SELECT pid, name, pg_terminate_backend(pid) FROM others WHERE place = $1 % size
            """
        guard let row = try await database.run(Statement(sql, choice)).first else { return nil }
        let (pid, name, isCut) = try row.decode(Int.self, String.self, Bool.self)
        return isCut ? "\(name), \(pid)" : nil
    }
}
