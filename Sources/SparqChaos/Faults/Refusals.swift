import SparqPostgres

/// Makes the database refuse what is to be written, with an error that passes.
struct Refusals: Sendable {
    /// I/O error, disk full, an internal error, out of memory, a lock that is not to be had.
    static let states = ["58030", "53100", "XX000", "53200", "55P03"]

    let database: PostgresPool

    func begin(_ state: String) async throws {
        // The text is one of ours; RAISE takes no parameter of a statement.
        let fail = "BEGIN RAISE EXCEPTION 'chaos' USING ERRCODE = '\(state)'; END"
        try await run(["CREATE OR REPLACE FUNCTION chaos_fail() RETURNS trigger LANGUAGE plpgsql AS '\(fail.replacing("'", with: "''"))'"])
        try await run(
            ["events", "inbox"].map {
                "CREATE OR REPLACE TRIGGER chaos_fail BEFORE INSERT ON \($0) FOR EACH STATEMENT EXECUTE FUNCTION chaos_fail()"
            }
        )
    }

    func end() async throws {
        try await run(["events", "inbox"].map { "DROP TRIGGER IF EXISTS chaos_fail ON \($0)" })
    }

    /// Others may kill or pause the database meanwhile.
    private func run(_ statements: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        for sql in statements {
            while true {
                do {
                    _ = try await database.run(Statement(sql))
                    break
                } catch {
                    guard ContinuousClock.now < deadline else { throw error }
                    await pause(.milliseconds(200))
                }
            }
        }
    }
}
