import SparqPostgres
import Synchronization
import Testing

/// Commits that write the same rows wait in line; none waits for one that waits for it.
@Suite(.timeLimit(.minutes(1))) struct LockOrderTests {
    /// One set begins half of the connections and ends the others, the other set the reverse.
    @Test func commitsThatBeginAndEndTheSameConnectionsDoNotLockEachOtherUp() async throws {
        try await Stack.with { stack in
            let states = try await withThrowingTaskGroup(of: String.self) { group in
                for round in 0..<40 {
                    for side in 0..<2 {
                        group.addTask {
                            let users = (0..<100).map { "\u{1}\(round) \(1000 + $0)" }
                            let (begun, ended) = (users.indices.filter { $0 % 2 == side }, users.indices.filter { $0 % 2 != side })
                            return try await Self.commit(begun.map { users[$0] }, ended: ended.map { users[$0] }, stack)
                        }
                    }
                }
                var states: [String] = []
                for try await state in group { states.append(state) }
                return states
            }
            #expect(Set(states) == ["committed", "23505"])
            // Of each pair the first one stands, as a whole.
            #expect(states.count { $0 == "committed" } == 40)
            #expect(try await stack.count("SELECT count(*) FROM inbox") == 4000)
        }
    }

    @Test func whatEndsBesideOthersIsNotedOnceAndARepeatIsTold() async throws {
        try await Stack.with { stack in
            let begun = try await Self.commit(["\u{1}a"], ended: [], stack)
            let ended = try await Self.commit(["\u{1}c"], ended: ["\u{1}a", "\u{1}b"], stack)
            // Its end was faster.
            let late = try await Self.commit(["\u{1}b"], ended: ["\u{1}d"], stack)
            #expect([begun, ended, late] == ["committed", "committed", "23505"])
            #expect(try await stack.count("SELECT count(*) FROM inbox") == 3)
        }
    }

    /// The SQLSTATE of what it failed with.
    private static func commit(_ begun: [String], ended: [String], _ stack: Stack) async throws -> String {
        let none = Array(repeating: 0, count: begun.count)
        do {
            _ = try await stack.pool.withConnection { connection in
                try await connection.query(
                    """
                    SELECT heads FROM sparq_commit('{}', '{}', '{}', '{}', '{}', '{}', '{}', $1, array_fill('$connect'::text, ARRAY[$4]),
                        $2, array_fill(NULL::bytea, ARRAY[$4]), array_fill(NULL::text, ARRAY[$4]), $2, $2, $3)
                    """,
                    begun,
                    none,
                    ended,
                    Int32(begun.count)
                )
            }
            return "committed"
        } catch let error as PostgresError {
            #expect(error.sqlState != "23505" || error.constraint == "inbox_pkey")
            return error.sqlState ?? "\(error)"
        }
    }
}
