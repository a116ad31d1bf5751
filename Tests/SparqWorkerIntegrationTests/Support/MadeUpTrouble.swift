import SparqPostgres

/// Errors of the database that a test switches on and off.
struct MadeUpTrouble {
    let stack: Stack
    let sqlState: String

    /// Prepares it; it is off.
    init(_ stack: Stack, _ sqlState: String) async throws {
        self.stack = stack
        self.sqlState = sqlState
        try await stack.pool.withConnection { connection in
            try await connection.script(
                """
                CREATE TABLE trouble (state text);
                CREATE FUNCTION make_trouble() RETURNS int LANGUAGE plpgsql AS $$
                DECLARE wanted text := (SELECT state FROM trouble LIMIT 1);
                BEGIN
                    IF wanted IS NOT NULL THEN RAISE EXCEPTION 'made up' USING ERRCODE = wanted; END IF;
                    RETURN 1;
                END $$;
                CREATE FUNCTION trouble_of_a_table() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM make_trouble(); RETURN NULL; END $$;
                """
            )
        }
    }

    /// What writes to a table meets it.
    func befall(_ table: String) async throws {
        try await stack.pool.withConnection { connection in
            try await connection.script(
                """
                CREATE TRIGGER trouble BEFORE INSERT OR UPDATE ON \(table) FOR EACH STATEMENT EXECUTE FUNCTION trouble_of_a_table()
                """
            )
        }
    }

    func begin() async throws { try await stack.pool.execute("INSERT INTO trouble VALUES ($1)", sqlState) }
    func end() async throws { try await stack.pool.execute("DELETE FROM trouble") }
}
