import Postgres
import SparqProtocol
import SparqWorker
import Synchronization
import Testing

/// Handlers that ask much of the database, or wait for it, while others go on.
@Suite(.timeLimit(.minutes(2))) struct CrowdedDatabaseTests {
    private static func isFine(_ done: Done) -> Bool { done.reply?.text.contains(#""ok":true"#) == true }

    private static var router: Router {
        var router = Router.posting
        router.onTransaction("create", RawMessage.self) { _, context, transaction in
            try await transaction.execute("INSERT INTO things VALUES ($1)", context.user)
            return [.append(to: .room("things"), Note(n: 1)), .reply(Note(n: 1))]
        }
        router.on("list", RawMessage.self) { _, context in
            try await context.database.query("SELECT count(*) FROM things")
            return [.reply(Note(n: 1))]
        }
        router.on("look", RawMessage.self) { _, context in
            try await context.database.query("SELECT count(*) FROM sweeps")
            return [.reply(Note(n: 1))]
        }
        return router
    }

    /// Posts, and waits for the answer; how long that takes.
    private static func post(_ number: Int, _ stack: Stack, _ node: FakeNode) async throws -> Duration {
        let start = ContinuousClock.now
        try await stack.send([
            SparqWorkerIntegrationTests.post("room:a", number, connection: "c\(number)", user: "u\(number)", id: "m")
        ])
        try await node.wait(for: "post \(number)", seconds: 10) { $0.dones.contains { $0.connection == "c\(number)" && isFine($0) } }
        return .now - start
    }

    @Test(arguments: ["create", "list"]) func aLockedTableHoldsUpNobodyElse(_ type: String) async throws {
        try await Stack.with { stack in
            try await stack.pool.execute("CREATE TABLE things (name text PRIMARY KEY)")
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(Self.router, log: log) {
                $0.reapInterval = .milliseconds(100)
                $0.leaseDuration = .seconds(1)
                $0.retentionInterval = .milliseconds(200)
                $0.postgres.acquireTimeout = .milliseconds(500)
            }
            try await stack.pool.transaction { transaction in
                try await transaction.execute("LOCK TABLE things IN ACCESS EXCLUSIVE MODE")
                for number in 1...12 {
                    try await stack.send([envelope(type, "{}", connection: "l\(number)", user: "l\(number)", id: "m")])
                }
                try await stack.someoneWaits()
                for number in 1...20 { #expect(try await Self.post(number, stack, node) < .seconds(3)) }
                if type == "create" {
                    // Reads have a connection left too.
                    try await stack.send([envelope("look", "{}", connection: "look", user: "look", id: "m")])
                    try await node.wait(for: "a read", seconds: 2) { $0.dones.contains { $0.connection == "look" && Self.isFine($0) } }
                }
                // Longer than anybody waits for a connection.
                try await Task.sleep(for: .seconds(2))
            }
            try await node.wait(for: "those that waited") {
                $0.dones.count { $0.connection.hasPrefix("l") && $0.connection != "look" && Self.isFine($0) } == 12
            }
            #expect(log.count("poolTimeout") == 0 && log.count("trouble with the database") == 0 && log.count("in use") == 0)
            #expect(try await stack.deadLetters().isEmpty)
        }
    }

    /// They take turns at one row. Others do not wait behind them, and those that are too many are told at once.
    @Test func aFloodOfTransactionsHoldsUpNobodyElse() async throws {
        try await Stack.with { stack in
            try await stack.pool.execute("CREATE TABLE things (name text PRIMARY KEY)")
            let (node, log) = (try await stack.node(), LogLines())
            try await stack.worker(Self.router, log: log)
            for part in 0..<40 {
                try await stack.send(
                    (0..<100).map { number in
                        envelope("create", "{}", connection: "f\(part)-\(number)", user: "f\(part)-\(number)", id: "m")
                    }
                )
            }
            var slowest: Duration = .zero
            for number in 1...20 { slowest = max(slowest, try await Self.post(number, stack, node)) }
            #expect(slowest < .seconds(5))
            try await node.wait(for: "word for all") { $0.dones.count { $0.connection.hasPrefix("f") } == 4000 }
            let flood = node.dones.filter { $0.connection.hasPrefix("f") }
            let refused = flood.count { $0.reply?.text.contains(#""code":"unavailable""#) == true }
            #expect(flood.count(where: Self.isFine) + refused == 4000 && refused > 0)
            // What was refused has not happened, and what was not has.
            #expect(try await stack.count("SELECT count(*) FROM things") == 4000 - refused)
            #expect(log.count("poolTimeout") == 0 && log.count("trouble with the database") == 0)
        }
    }
}
